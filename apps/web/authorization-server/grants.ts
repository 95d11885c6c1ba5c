/**
 * Grants: what one login of one client may do, for one user and one space. Their codes and refresh tokens go with them. All times are the
 * database's.
 */
import type { Pool } from 'pg'
import type { ListedGrant } from '../lib/authorization.ts'
import { SCHEMA } from '../lib/database.ts'
import { isMember } from '../lib/membership.ts'
import { digest } from './clients.ts'

/** Lifetime of an authorization code in seconds. */
export const CODE_SECONDS = 600

/** How long a refresh token is good, in seconds. Each refresh starts anew: a client used every few months never logs in again. */
export const REFRESH_TOKEN_SECONDS = 90 * 24 * 3600

/** How long a refresh token that was replaced is still good, unless its successor is used before: for a response that was lost. */
const REPLACED_MINUTES = 30

export interface NewGrant {
  readonly clientId: string
  readonly userId: string
  readonly spaceId: string
  readonly resource: string
  readonly scope: string
  /** Of the browser in which it was allowed. */
  readonly userAgent: string
}

export interface Grant extends Omit<NewGrant, 'userAgent'> {
  readonly id: string
}

/** What is stored of a code or a refresh token, with its grant. */
export interface Issued {
  readonly grant: Grant
  /** True if a used code or token was replayed. */
  readonly isReplayed: boolean
  /** By the database's clock. */
  readonly secondsLeft: number
}

export interface IssuedCode extends Issued {
  readonly redirectUri: string
  readonly codeChallenge: string
}

const GRANT = `granted.id, granted.client_id as "clientId", granted.user_id as "userId", granted.space_id as "spaceId",
               granted.resource, granted.scope`
const IS_MEMBER = isMember('granted.space_id', 'granted.user_id')

export type Grants = ReturnType<typeof postgresGrants>

export function postgresGrants(pool: Pool) {
  return {
    async add({ clientId, userId, spaceId, resource, scope, userAgent }: NewGrant): Promise<string> {
      const { rows } = await pool.query<{ id: string }>(
        `with allowed as (update ${SCHEMA}.oauth_client set allowed_at = now() where client_id = $1)
         insert into ${SCHEMA}.oauth_grant (client_id, user_id, space_id, resource, scope, user_agent)
         values ($1, $2, $3, $4, $5, $6) returning id`,
        [clientId, userId, spaceId, resource, scope, userAgent],
      )
      return rows[0]?.id ?? ''
    },

    async find(id: string): Promise<Grant | undefined> {
      const { rows } = await pool.query<Grant>(
        `select ${GRANT} from ${SCHEMA}.oauth_grant granted where granted.id = $1`,
        [id],
      )
      return rows[0]
    },

    /** The grant, if its user is still a member of its space; undefined otherwise. */
    async findEntitled(id: string): Promise<Grant | undefined> {
      const { rows } = await pool.query<Grant>(
        `select ${GRANT} from ${SCHEMA}.oauth_grant granted where granted.id = $1 and ${IS_MEMBER}`,
        [id],
      )
      return rows[0]
    },

    /** The user's grants that can still be used, the latest first. */
    async list(userId: string): Promise<ListedGrant[]> {
      const { rows } = await pool.query<ListedGrant>(
        `select granted.id, granted.client_id as "clientId", client.name as "clientName", granted.space_id as "spaceId",
                granted.scope, granted.user_agent as "userAgent", granted.created_at as "createdAt",
                granted.last_used_at as "lastUsedAt"
         from ${SCHEMA}.oauth_grant granted join ${SCHEMA}.oauth_client client using (client_id)
         where granted.user_id = $1
           and (exists (select from ${SCHEMA}.oauth_code where grant_id = granted.id and expires_at > now())
                or exists (select from ${SCHEMA}.oauth_refresh_token where grant_id = granted.id and expires_at > now()))
         order by granted.created_at desc, granted.id`,
        [userId],
      )
      return rows
    },

    async addCode(code: string, grantId: string, redirectUri: string, codeChallenge: string): Promise<void> {
      await pool.query(
        `insert into ${SCHEMA}.oauth_code (digest, grant_id, redirect_uri, code_challenge, expires_at)
         values ($1, $2, $3, $4, now() + make_interval(secs => ${CODE_SECONDS}))`,
        [digest(code), grantId, redirectUri, codeChallenge],
      )
    },

    /** Records a use of the code. Only the first use is valid, whatever its outcome. */
    async presentCode(code: string): Promise<IssuedCode | undefined> {
      const { rows } = await pool.query<Row & { redirectUri: string; codeChallenge: string }>(
        `update ${SCHEMA}.oauth_code issued set presented = presented + 1
         from ${SCHEMA}.oauth_grant granted where issued.digest = $1 and granted.id = issued.grant_id
         returning ${GRANT}, presented > 1 as "isReplayed", extract(epoch from issued.expires_at - now())::int as "secondsLeft",
                   issued.redirect_uri as "redirectUri", issued.code_challenge as "codeChallenge"`,
        [digest(code)],
      )
      const [row] = rows
      return row && { ...issued(row), redirectUri: row.redirectUri, codeChallenge: row.codeChallenge }
    },

    async findRefreshToken(token: string): Promise<Issued | undefined> {
      const { rows } = await pool.query<Row>(
        `select ${GRANT}, not ${isUsable('issued')} as "isReplayed", extract(epoch from issued.expires_at - now())::int as "secondsLeft"
         from ${SCHEMA}.oauth_refresh_token issued join ${SCHEMA}.oauth_grant granted on granted.id = issued.grant_id
         where issued.digest = $1`,
        [digest(token)],
      )
      return rows[0] && issued(rows[0])
    },

    /**
     * Notes the use of a refresh token, which ends its predecessors.
     *
     * @returns false if it was used up meanwhile, or its grant has ended.
     */
    async useRefreshToken(token: string): Promise<boolean> {
      const { rowCount } = await pool.query(
        `with used as (
           update ${SCHEMA}.oauth_refresh_token issued set used_at = coalesce(used_at, now())
           where digest = $1 and ${isUsable('issued')} returning grant_id)
         update ${SCHEMA}.oauth_grant set last_used_at = now() from used where id = used.grant_id`,
        [digest(token)],
      )
      return rowCount === 1
    },

    /**
     * Stores a refresh token. Storing the same again changes nothing: several processes derive the same successor.
     *
     * @returns false if the grant has ended.
     */
    async addRefreshToken(token: string, grantId: string, predecessor: string | undefined): Promise<boolean> {
      try {
        const { rowCount } = await pool.query(
          `insert into ${SCHEMA}.oauth_refresh_token (digest, grant_id, predecessor, expires_at)
           select $1, id, $3, now() + make_interval(secs => ${REFRESH_TOKEN_SECONDS})
           from ${SCHEMA}.oauth_grant where id = $2
           on conflict (digest) do update set expires_at = excluded.expires_at`,
          [digest(token), grantId, predecessor === undefined ? null : digest(predecessor)],
        )
        if (predecessor === undefined)
          await pool.query(`update ${SCHEMA}.oauth_grant set last_used_at = now() where id = $1`, [grantId])
        return rowCount === 1
      } catch (error) {
        if (isForeignKeyViolation(error)) return false
        throw error
      }
    },

    /** Ends one grant and records it for the gateway, in one transaction. What has ended already is left as it is. */
    async end(grantId: string, userId?: string): Promise<boolean> {
      const { rowCount } = await pool.query(
        `with ended as (
           delete from ${SCHEMA}.oauth_grant where id::text = $1 and ($2::text is null or user_id::text = $2)
           returning id, space_id, user_id, client_id)
         insert into ${SCHEMA}.ended_access (space_id, user_id, client_id, grant_id)
         select space_id, user_id, client_id, id from ended`,
        [grantId, userId ?? null],
      )
      return rowCount !== 0
    },

    /** Ends all grants of a user, as {@link end} does one. */
    async endAll(userId: string): Promise<void> {
      await pool.query(
        `with ended as (
           delete from ${SCHEMA}.oauth_grant where user_id = $1 returning id, space_id, user_id, client_id)
         insert into ${SCHEMA}.ended_access (space_id, user_id, client_id, grant_id)
         select space_id, user_id, client_id, id from ended`,
        [userId],
      )
    },

    /** Deletes a former member's grants in a space, as recorded in the revocation. */
    async deleteOf(revocationId: string): Promise<void> {
      await pool.query(
        `delete from ${SCHEMA}.oauth_grant granted using ${SCHEMA}.ended_access ended
         where ended.id = $1 and ended.client_id is null and granted.space_id = ended.space_id
           and granted.user_id = ended.user_id and granted.created_at <= ended.ended_at`,
        [revocationId],
      )
    },

    /** Records the end of access of people who have grants and are no members any more, should anything have missed it. */
    async reconcile(): Promise<number> {
      const { rowCount } = await pool.query(
        `insert into ${SCHEMA}.ended_access (space_id, user_id)
         select distinct space_id, user_id from ${SCHEMA}.oauth_grant granted where not ${IS_MEMBER}`,
      )
      return rowCount ?? 0
    },
  }
}

/** A token that nobody used, or whose successor nobody used within the time for that. */
const isUsable = (token: string) =>
  `((${token}.used_at is null or ${token}.used_at > now() - interval '${REPLACED_MINUTES} minutes')
    and not exists (select from ${SCHEMA}.oauth_refresh_token successor
                    where successor.predecessor = ${token}.digest and successor.used_at is not null))`

type Row = Grant & { readonly isReplayed: boolean; readonly secondsLeft: number }

const issued = ({ id, clientId, userId, spaceId, resource, scope, isReplayed, secondsLeft }: Row): Issued => ({
  grant: { id, clientId, userId, spaceId, resource, scope },
  isReplayed,
  secondsLeft,
})

const isForeignKeyViolation = (error: unknown) => error instanceof Error && 'code' in error && error.code === '23503'

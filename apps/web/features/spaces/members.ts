import 'server-only'
import { createHash, randomBytes } from 'node:crypto'
import { DisplayName } from '@nmg/contract'
import type { PoolClient } from 'pg'
import { z } from 'zod'
import { SCHEMA, transaction } from '@/lib/database.ts'
import {
  requireMemberIn,
  rolesIn,
  type SignedIn,
  type SpaceManager,
  type SpaceMember,
  strongestRole,
} from '@/lib/membership.ts'
import { Failure } from '@/lib/failure.ts'
import { grantable, mayManage, type Role } from '@/lib/roles.ts'
import type { App } from '@/lib/runtime.ts'

/** Most spaces one user may own. Each has its own connection, and each connection registers a client at Notion. */
const MOST_SPACES = 10
const MOST_MEMBERS = 500
const MOST_INVITATIONS = 100
const INVITATION_DAYS = 7

/** Schema of a space name. */
export const SpaceName = DisplayName

/** A member, as visible to other members. */
export interface MemberView {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly role: Role
  readonly joinedAt: string
}

export interface PendingInvitation {
  readonly id: string
  readonly role: Role
  /** Absent if anyone with the link may join. */
  readonly email?: string
  readonly invitedBy: string
  readonly expiresAt: string
}

/** Owners first, then by name. */
export async function membersOf(app: App<'pool'>, member: SpaceMember): Promise<MemberView[]> {
  const { rows } = await app.pool.query<MemberView & { joinedAt: Date }>(
    `select users.id, users.name, users.email, member.role, member."createdAt" as "joinedAt"
     from ${SCHEMA}.member join ${SCHEMA}."user" users on users.id = member."userId"
     where member."organizationId" = $1
     order by array_position(array['owner', 'admin', 'member'], member.role), lower(users.name)`,
    [member.space.id],
  )
  return rows.map((row) => ({ ...row, role: strongestRole(row.role), joinedAt: row.joinedAt.toISOString() }))
}

export async function invitationsOf(app: App<'pool'>, manager: SpaceManager): Promise<PendingInvitation[]> {
  const { rows } = await app.pool.query<{
    id: string
    role: Role
    email: string | null
    invitedBy: string
    expiresAt: Date
  }>(
    `select invitation.id, invitation.role, invitation.email, users.name as "invitedBy", invitation.expires_at as "expiresAt"
     from ${SCHEMA}.space_invitation invitation join ${SCHEMA}."user" users on users.id = invitation.invited_by
     where invitation.space_id = $1 and invitation.expires_at > now()
     order by invitation.created_at desc`,
    [manager.space.id],
  )
  return rows.map(({ email, expiresAt, ...row }) => ({
    ...row,
    ...(email === null ? {} : { email }),
    expiresAt: expiresAt.toISOString(),
  }))
}

/** Creates an invitation. Only the result contains the secret; the database stores its hash. */
export async function invite(
  app: App<'pool'>,
  manager: SpaceManager,
  { role, email }: { role: Role; email?: string | undefined },
): Promise<{ id: string; secret: string; expiresAt: Date }> {
  return inSpace(app, manager, async ({ client, actor, members }) => {
    requireGrantable(actor, role)
    if (role === 'owner')
      throw new Failure('forbidden_role', 'Owners can’t be invited. Invite a member, then transfer ownership.')
    if (members.size >= MOST_MEMBERS) throw tooMany(`A space can have at most ${MOST_MEMBERS} members.`)
    const address = email?.toLowerCase() ?? null
    await client.query(
      // One invitation per address: the new one replaces the previous one.
      `delete from ${SCHEMA}.space_invitation where space_id = $1 and (expires_at <= now() or email = $2)`,
      [manager.space.id, address],
    )
    const { rows } = await client.query<{ count: string }>(
      `select count(*) from ${SCHEMA}.space_invitation where space_id = $1`,
      [manager.space.id],
    )
    if (Number(rows[0]?.count) >= MOST_INVITATIONS) {
      throw tooMany(`A space can have at most ${MOST_INVITATIONS} pending invitations. Cancel some first.`)
    }
    const id = crypto.randomUUID()
    const secret = randomBytes(32).toString('base64url')
    const expiresAt = new Date(Date.now() + INVITATION_DAYS * 24 * 3_600_000)
    await client.query(
      `insert into ${SCHEMA}.space_invitation (id, space_id, role, email, secret_hash, invited_by, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [id, manager.space.id, role, address, hashOf(secret), manager.user.id, expiresAt],
    )
    return { id, secret, expiresAt }
  })
}

/** Idempotent. */
export async function cancelInvitation(app: App<'pool'>, manager: SpaceManager, id: string): Promise<void> {
  if (!isId(id)) return
  await inSpace(app, manager, ({ client, actor }) => {
    requireGrantable(actor, 'member')
    return client.query(`delete from ${SCHEMA}.space_invitation where id = $1 and space_id = $2`, [
      id,
      manager.space.id,
    ])
  })
}

export interface Invitation {
  readonly spaceId: string
  readonly spaceName: string
  readonly role: Role
  readonly email: string | undefined
  readonly invitedBy: string
}

/** The invitation with this secret; undefined if it was used, cancelled or has expired. */
export async function findInvitation(app: App<'pool'>, secret: string): Promise<Invitation | undefined> {
  const { rows } = await app.pool.query<Omit<Invitation, 'email'> & { email: string | null }>(
    `select invitation.space_id as "spaceId", space.name as "spaceName", invitation.role, invitation.email, users.name as "invitedBy"
     from ${SCHEMA}.space_invitation invitation
       join ${SCHEMA}.organization space on space.id = invitation.space_id
       join ${SCHEMA}."user" users on users.id = invitation.invited_by
     where invitation.secret_hash = $1 and invitation.expires_at > now()`,
    [hashOf(secret)],
  )
  return rows[0] && { ...rows[0], email: rows[0].email ?? undefined }
}

/** True if this user may accept the invitation. */
export const isFor = ({ email }: Pick<Invitation, 'email'>, user: { email: string }): boolean =>
  email === undefined || email === user.email.toLowerCase()

/**
 * Joins the space of an invitation and uses up its link.
 *
 * @throws {Failure} `unknown_invitation`, `wrong_person`
 */
export async function acceptInvitation(
  app: App<'pool'>,
  { user, sessionId }: SignedIn,
  secret: string,
): Promise<string> {
  const found = await findInvitation(app, secret)
  if (!found) throw unknownInvitation()
  if (!isFor(found, user)) {
    throw new Failure('wrong_person', 'This invitation is for another email address. Sign in with that account.')
  }
  return transaction(app.pool, async (client) => {
    await lockSpace(client, found.spaceId)
    const { rowCount } = await client.query(
      `delete from ${SCHEMA}.space_invitation where secret_hash = $1 and expires_at > now()`,
      [hashOf(secret)],
    )
    // Used or cancelled concurrently.
    if (rowCount !== 1) throw unknownInvitation()
    const members = await rolesIn(client, found.spaceId)
    if (!members.has(user.id)) {
      if (members.size >= MOST_MEMBERS) throw tooMany(`A space can have at most ${MOST_MEMBERS} members.`)
      await addMember(client, found.spaceId, user.id, found.role)
    }
    await setActive(client, sessionId, found.spaceId)
    return found.spaceId
  })
}

/** Changes the role of another member. Users cannot change their own role. */
export async function changeRole(app: App<'pool'>, manager: SpaceManager, userId: string, role: Role): Promise<void> {
  await inSpace(app, manager, async ({ client, actor, members }) => {
    requireManageable(actor, members, userId)
    requireGrantable(actor, role)
    if (userId === manager.user.id) {
      throw new Failure('forbidden_role', 'You can’t change your own role. Ask another owner or admin.')
    }
    await setRole(client, manager.space.id, userId, role)
  })
}

/** Ends a membership: the user's own, or that of a member they may manage. */
export async function removeMember(
  app: App<'pool' | 'authorizationServer'>,
  member: SpaceMember,
  userId: string,
): Promise<void> {
  await inSpace(app, member, async ({ client, actor, members }) => {
    if (userId !== member.user.id) requireManageable(actor, members, userId)
    if (members.get(userId) === 'owner' && [...members.values()].filter((role) => role === 'owner').length === 1) {
      throw new Failure('last_owner', 'A space needs an owner. Transfer ownership before you leave.')
    }
    await client.query(`delete from ${SCHEMA}.member where "organizationId" = $1 and "userId" = $2`, [
      member.space.id,
      userId,
    ])
    await forgetInvitations(client, member.space.id, userId)
  })
  // Respond only after the member's clients have lost access, too.
  await app.authorizationServer.deliverRevocations()
}

/** Makes another member the owner; the former owner stays as an admin. */
export async function transferOwnership(app: App<'pool'>, manager: SpaceManager, userId: string): Promise<void> {
  await inSpace(app, manager, async ({ client, actor, members }) => {
    if (actor !== 'owner') throw new Failure('forbidden_role', 'Only an owner can transfer ownership.')
    requireManageable(actor, members, userId)
    if (userId === manager.user.id)
      throw new Failure('invalid_request', 'You already own this space. Choose another member.')
    await setRole(client, manager.space.id, userId, 'owner')
    await setRole(client, manager.space.id, manager.user.id, 'admin')
  })
}

export async function renameSpace(app: App<'pool'>, manager: SpaceManager, name: string): Promise<void> {
  await inSpace(app, manager, ({ client, actor }) => {
    requireGrantable(actor, 'member')
    return client.query(`update ${SCHEMA}.organization set name = $2 where id = $1`, [manager.space.id, name])
  })
}

/** Creates a space owned by this user and makes it their active space. */
export async function createSpace(app: App<'pool'>, { user, sessionId }: SignedIn, name: string): Promise<string> {
  return transaction(app.pool, async (client) => {
    // Serializes concurrent requests, which could otherwise exceed the limit together.
    await client.query(`select 1 from ${SCHEMA}."user" where id = $1 for update`, [user.id])
    const { rows } = await client.query<{ count: string }>(
      `select count(*) from ${SCHEMA}.member where "userId" = $1 and role = 'owner'`,
      [user.id],
    )
    if (Number(rows[0]?.count) >= MOST_SPACES) throw tooMany(`You can own at most ${MOST_SPACES} spaces.`)
    const id = crypto.randomUUID()
    await client.query(`insert into ${SCHEMA}.organization (id, name, slug, "createdAt") values ($1, $2, $3, now())`, [
      id,
      name,
      `space-${id}`,
    ])
    await addMember(client, id, user.id, 'owner')
    await setActive(client, sessionId, id)
    return id
  })
}

/** Sets the active space of this session. */
export async function switchSpace(app: App<'pool'>, found: SignedIn, spaceId: string): Promise<void> {
  requireMemberIn(found, spaceId)
  await app.pool.query(`update ${SCHEMA}.session set "activeOrganizationId" = $2 where id = $1`, [
    found.sessionId,
    spaceId,
  ])
}

interface LockedSpace {
  readonly client: PoolClient
  /** The caller's role, read under the lock; it may have changed since the request began. */
  readonly actor: Role
  /** Roles by user. */
  readonly members: ReadonlyMap<string, Role>
}

/** Runs `work` in a transaction that locks the members of the space. */
function inSpace<T>(
  app: App<'pool'>,
  { space, user }: SpaceMember,
  work: (locked: LockedSpace) => Promise<T>,
): Promise<T> {
  return transaction(app.pool, async (client) => {
    await lockSpace(client, space.id)
    const members = await rolesIn(client, space.id)
    const actor = members.get(user.id)
    if (!actor) throw new Failure('forbidden_space', 'You are no longer a member of this space.')
    return work({ client, actor, members })
  })
}

const lockSpace = (client: PoolClient, spaceId: string) =>
  client.query(`select 1 from ${SCHEMA}.organization where id = $1 for update`, [spaceId])

const addMember = (client: PoolClient, spaceId: string, userId: string, role: Role) =>
  client.query(
    `insert into ${SCHEMA}.member (id, "organizationId", "userId", role, "createdAt") values ($1, $2, $3, $4, now())`,
    [crypto.randomUUID(), spaceId, userId, role],
  )

const setActive = (client: PoolClient, sessionId: string, spaceId: string) =>
  client.query(`update ${SCHEMA}.session set "activeOrganizationId" = $2 where id = $1`, [sessionId, spaceId])

async function setRole(client: PoolClient, spaceId: string, userId: string, role: Role): Promise<void> {
  await client.query(`update ${SCHEMA}.member set role = $3 where "organizationId" = $1 and "userId" = $2`, [
    spaceId,
    userId,
    role,
  ])
  if (role === 'member') await forgetInvitations(client, spaceId, userId)
}

/** Deletes the invitations of a user who may no longer invite. */
const forgetInvitations = (client: PoolClient, spaceId: string, userId: string) =>
  client.query(`delete from ${SCHEMA}.space_invitation where space_id = $1 and invited_by = $2`, [spaceId, userId])

function requireManageable(actor: Role, members: ReadonlyMap<string, Role>, userId: string): void {
  if (actor === 'member') throw new Failure('forbidden_role', 'Only owners and admins of this space can do this.')
  const target = members.get(userId)
  if (!target) throw new Failure('unknown_member', 'This user is no longer a member of the space.')
  if (!mayManage(actor, target)) throw new Failure('forbidden_role', 'Only an owner can change or remove an owner.')
}

function requireGrantable(actor: Role, role: Role): void {
  if (!grantable(actor).includes(role)) throw new Failure('forbidden_role', 'Your role doesn’t allow this.')
}

const hashOf = (secret: string) => createHash('sha256').update(secret).digest()

const isId = (value: string) => z.uuid().safeParse(value).success

const tooMany = (message: string) => new Failure('too_many', message)

const unknownInvitation = () =>
  new Failure('unknown_invitation', 'This invitation was used or cancelled, or has expired. Ask for a new one.')

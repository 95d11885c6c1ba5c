/**
 * The authorization server's keys: those that sign access tokens (EdDSA), and one that derives refresh tokens. They are in the database,
 * sealed with the first of `AUTH_SECRETS`, and opened with any of them.
 */
import { createHmac, generateKeyPairSync, randomBytes, randomUUID, type JsonWebKey } from 'node:crypto'
import { symmetricDecrypt, symmetricEncrypt } from 'better-auth/crypto'
import type { Pool } from 'pg'
import { exclusively, SCHEMA } from '../lib/database.ts'
import { log } from '../lib/log.ts'

/** A key signs for so long, in days; then another one does. */
const SIGNS_DAYS = 30
/** A new key is published for so long before it signs, so that whoever verifies has it. */
const ANNOUNCED_MINUTES = 15
/** Keys are published for so long after another one was made in their place, in days. Access tokens expire within minutes. */
const KEPT_DAYS = 2
/** Keys that could not be opened are published for so long after that: whoever knows the secret of then may know the key. */
const RETIRED_MINUTES = 60
/** For how long this process goes by what it read, in milliseconds. */
const FRESH_MS = 60_000

export interface SigningKey {
  readonly kty: string
  readonly crv: string
  readonly x: string
  readonly d: string
  readonly kid: string
  readonly alg: 'EdDSA'
  readonly use: 'sig'
}

export interface Keys {
  /** The key that signs now comes first. Those after it are only published. */
  readonly signing: readonly [SigningKey, ...SigningKey[]]
  /** The refresh token that replaces this one: always the same one, and only this server can tell. */
  successorOf(refreshToken: string): string
}

export interface KeyStore {
  /** The keys of now. The same object as long as they are the same keys. */
  current(): Promise<Keys>
  /** The public keys, as clients and the gateway read them ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)). Always read anew. */
  published(): Promise<{ keys: object[] }>
}

interface Row {
  readonly id: string
  readonly purpose: 'sign' | 'rotate'
  readonly public_key: { readonly crv: string; readonly x: string; readonly kty: string } | null
  readonly sealed: string
  readonly is_announced: boolean
  readonly is_due: boolean
  readonly is_retired: boolean
}

/** @param secrets the first one seals, all of them open. */
export function keyStore(pool: Pool, secrets: readonly [string, ...string[]]): KeyStore {
  let known: { readonly keys: Keys; readonly name: string; readonly until: number } | undefined
  let reading: Promise<Keys> | undefined
  const unreadable = new Set<string>()

  const open = async ({ id, sealed }: Row): Promise<string | undefined> => {
    for (const secret of secrets) {
      const opened = await symmetricDecrypt({ key: secret, data: sealed }).catch(() => undefined)
      if (opened === undefined) continue
      // At the start only: processes with different first secrets would take turns otherwise.
      if (!known && secret !== secrets[0]) await reseal(id, opened)
      return opened
    }
    if (!unreadable.has(id)) {
      log.error('oauth.key_unreadable', {
        key: id,
        advice:
          'Encrypted with a secret that is not in AUTH_SECRETS. A new key replaces it; nobody has to log in again.',
      })
    }
    unreadable.add(id)
    return undefined
  }

  const reseal = async (id: string, opened: string) => {
    const sealed = await symmetricEncrypt({ key: secrets[0], data: opened })
    await pool.query(`update ${SCHEMA}.oauth_key set sealed = $2 where id = $1`, [id, sealed])
  }

  const openAll = async (rows: readonly Row[], purpose: Row['purpose']) => {
    const candidates = rows.filter((row) => row.purpose === purpose && !row.is_retired)
    const opened = await Promise.all(candidates.map(async (row) => ({ row, secret: await open(row) })))
    return opened.flatMap(({ row, secret }) => (secret === undefined ? [] : [{ row, secret }]))
  }

  const add = async (purpose: Row['purpose'], secret: string, publicKey: object | null) => {
    const sealed = await symmetricEncrypt({ key: secrets[0], data: secret })
    await pool.query(`insert into ${SCHEMA}.oauth_key (id, purpose, public_key, sealed) values ($1, $2, $3, $4)`, [
      randomUUID(),
      purpose,
      publicKey,
      sealed,
    ])
  }

  /** Makes the keys that are missing or due. */
  const renew = () =>
    exclusively(pool, async () => {
      const rows = await readRows(pool)
      const usable = await openAll(rows, 'sign')
      if (usable.every(({ row }) => row.is_due)) {
        const { publicKey, privateKey } = generateKeyPairSync('ed25519')
        await add('sign', JSON.stringify(privateKey.export({ format: 'jwk' })), publicKey.export({ format: 'jwk' }))
      }
      if ((await openAll(rows, 'rotate')).length === 0) await add('rotate', randomBytes(32).toString('base64url'), null)
      await pool.query(`update ${SCHEMA}.oauth_key set retired_at = now() where id = any ($1) and retired_at is null`, [
        [...unreadable],
      ])
      await pool.query(
        `delete from ${SCHEMA}.oauth_key old
         where retired_at < now() - interval '${KEPT_DAYS} days'
            or purpose = 'sign' and exists (
                 select from ${SCHEMA}.oauth_key
                 where purpose = 'sign' and retired_at is null and created_at > old.created_at
                   and created_at < now() - interval '${KEPT_DAYS} days')`,
      )
    })

  const read = async (mayRenew: boolean): Promise<Keys> => {
    const rows = await readRows(pool)
    const signing = await openAll(rows, 'sign')
    const [rotation] = await openAll(rows, 'rotate')
    const isMissing = !rotation || signing.every(({ row }) => row.is_due)
    if (isMissing && mayRenew) {
      await renew()
      return read(false)
    }
    // The newest that has been announced; right after the first start, or when the others are unreadable, the newest.
    const [signs = signing[0], ...others] = [
      ...signing.filter(({ row }) => row.is_announced),
      ...signing.filter(({ row }) => !row.is_announced),
    ]
    if (!signs || !rotation) throw new Error('There is no key to sign with.')
    const name = [signs, ...others, rotation].map(({ row }) => row.id).join()
    const keys = known?.name === name ? known.keys : keysOf([signs, ...others], rotation.secret)
    known = { keys, name, until: Date.now() + FRESH_MS }
    return keys
  }

  return {
    async current() {
      if (known && Date.now() < known.until) return known.keys
      reading ??= read(true).finally(() => {
        reading = undefined
      })
      return reading
    },
    async published() {
      await this.current()
      const { rows } = await pool.query<Pick<Row, 'id' | 'public_key'>>(
        `select id, public_key from ${SCHEMA}.oauth_key
         where purpose = 'sign' and coalesce(retired_at, now()) > now() - interval '${RETIRED_MINUTES} minutes'
         order by created_at desc, id`,
      )
      return { keys: rows.map(({ id, public_key: key }) => ({ alg: 'EdDSA', ...key, kid: id, use: 'sig' })) }
    },
  }
}

async function readRows(pool: Pool): Promise<Row[]> {
  const { rows } = await pool.query<Row>(
    `select id, purpose, public_key, sealed, created_at < now() - interval '${ANNOUNCED_MINUTES} minutes' as is_announced,
            created_at < now() - interval '${SIGNS_DAYS} days' as is_due, retired_at is not null as is_retired
     from ${SCHEMA}.oauth_key order by created_at desc, id`,
  )
  return rows
}

function keysOf(
  signing: readonly [{ row: Row; secret: string }, ...{ row: Row; secret: string }[]],
  rotationKey: string,
): Keys {
  const jwk = ({ row, secret }: { row: Row; secret: string }): SigningKey => ({
    ...(JSON.parse(secret) as JsonWebKey & Pick<SigningKey, 'kty' | 'crv' | 'x' | 'd'>),
    kid: row.id,
    alg: 'EdDSA',
    use: 'sig',
  })
  const [first, ...others] = signing
  return {
    signing: [jwk(first), ...others.map(jwk)],
    successorOf: (refreshToken) => createHmac('sha256', rotationKey).update(refreshToken).digest('base64url'),
  }
}

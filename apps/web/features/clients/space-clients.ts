import 'server-only'
import { AccessKeys, CreatedAccessKey, ActiveClients, type AccessKey, type NewAccessKey } from '@nmg/contract'
import { z } from 'zod'
import { SCHEMA } from '@/lib/database.ts'
import { askGateway } from '@/lib/gateway.ts'
import { isStillMember, type SpaceMember } from '@/lib/membership.ts'
import { documentHost } from '@/authorization-server/client-document.ts'
import { Failure } from '@/lib/failure.ts'
import type { App } from '@/lib/runtime.ts'
import type { CallerView, ClientLists, KeyView, MadeKey, NewKey } from './client-lists.ts'

const DAY_MS = 24 * 3600_000

const whose = ({ space, user }: SpaceMember) => new URLSearchParams({ space_id: space.id, user_id: user.id })

/** The member's keys and recent clients in this space. */
export async function clientLists(
  app: App<'pool' | 'gatewayUrl' | 'serviceToken'>,
  member: SpaceMember,
): Promise<ClientLists> {
  const [keys, seen] = await Promise.all([
    askGateway(app, member, `/access/keys?${whose(member)}`, AccessKeys),
    askGateway(app, member, `/access/clients?${whose(member)}`, ActiveClients),
  ])
  const clients = seen?.clients ?? []
  const names = await clientNames(
    app,
    clients.flatMap(({ clientId }) => clientId ?? []),
  )
  const keyNames = new Map(keys?.keys.map(({ id, name }) => [id, name]))
  return {
    keys: (keys?.keys ?? []).map(keyView),
    callers: clients.map(({ clientId, keyId, name, version, firstSeenAt, lastSeenAt }): CallerView => ({
      id: `${clientId ?? keyId} ${name} ${version ?? ''}`,
      name,
      ...(version !== undefined && { version }),
      by:
        keyId === undefined
          ? loginView(clientId ?? '', names)
          : { kind: 'key', name: keyNames.get(keyId) ?? '(deleted)' },
      firstSeenAt,
      lastSeenAt,
    })),
  }
}

/** Registered names by client id. */
async function clientNames(app: App<'pool'>, clientIds: readonly string[]): Promise<Map<string, string>> {
  if (clientIds.length === 0) return new Map()
  const { rows } = await app.pool.query<{ clientId: string; name: string }>(
    `select client_id as "clientId", name from ${SCHEMA}.oauth_client where client_id = any ($1)`,
    [clientIds],
  )
  return new Map(rows.map(({ clientId, name }) => [clientId, name]))
}

function loginView(clientId: string, names: ReadonlyMap<string, string>): CallerView['by'] {
  const host = documentHost(clientId)
  return { kind: 'login', name: names.get(clientId) ?? 'a client', ...(host !== undefined && { host }) }
}

/** @throws {Failure} `forbidden_space` if the membership ended concurrently; the gateway has no memberships and would keep the key. */
export async function makeKey(
  app: App<'pool' | 'gatewayUrl' | 'serviceToken'>,
  member: SpaceMember,
  { name, scope, days }: NewKey,
): Promise<MadeKey> {
  const body: NewAccessKey = {
    spaceId: member.space.id,
    name,
    scope,
    ...(days > 0 && { expiresAt: new Date(Date.now() + days * DAY_MS).toISOString() }),
  }
  const made = await askGateway(app, member, '/access/keys', CreatedAccessKey, { method: 'POST', body })
  if (!made) throw new Error('The gateway made no key.')
  if (!(await isStillMember(app, member))) {
    await deleteKey(app, member, made.id)
    throw new Failure('forbidden_space', 'You are no longer a member of this space. No key was made.')
  }
  return { ...keyView(made), key: made.key }
}

/** Deletes the member's key. Idempotent; keys of other users are not affected. */
export async function deleteKey(
  app: App<'gatewayUrl' | 'serviceToken'>,
  member: SpaceMember,
  keyId: string,
): Promise<void> {
  await askGateway(app, member, `/access/keys/${encodeURIComponent(keyId)}?${whose(member)}`, z.null(), {
    method: 'DELETE',
  })
}

const keyView = ({ id, name, scope, createdAt, expiresAt, lastUsedAt }: AccessKey): KeyView => ({
  id,
  name,
  scope,
  createdAt,
  ...(expiresAt !== undefined && { expiresAt }),
  ...(lastUsedAt !== undefined && { lastUsedAt }),
})

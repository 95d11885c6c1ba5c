/** Routes for applications to manage access of their users' MCP clients, and the public metadata of the MCP endpoints. */
import {
  type AccessKeys,
  type CreatedAccessKey,
  NewAccessKey,
  Revocation,
  scopes,
  type ActiveClient,
  type ActiveClients,
} from '@nmg/contract'
import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { Failure } from '../platform/failure.ts'
import type { AccessKeyStore } from './access-key.ts'
import type { ClientActivityRecord, ClientActivityStore } from './activity.ts'
import { describeAccessKey } from './create-access-key.ts'
import type { RevocationStore } from './revocations.ts'
import type { App } from '../platform/router.ts'
import { type ServicePrincipal, type CallerHeaders, requireUserId } from '../platform/service-token.ts'
import { readJsonBody } from '../platform/json-body.ts'
import { describedTarget, resourceUrl } from '../proxy/endpoint.ts'

export interface AccessRouteDependencies {
  readonly authenticate: (headers: CallerHeaders) => ServicePrincipal
  readonly createKey: (userId: string, key: NewAccessKey) => Promise<CreatedAccessKey>
  readonly keys: AccessKeyStore
  readonly revocations: RevocationStore
  readonly activity: ClientActivityStore
  readonly publicUrl: URL
  /** Identifiers of the authorization servers that issue tokens for the MCP endpoints. */
  readonly issuers: readonly string[]
}

const NO_STORE = { 'cache-control': 'no-store' }

export function addAccessRoutes(app: Hono<App>, deps: AccessRouteDependencies): void {
  const { keys, revocations, activity } = deps
  const authenticate = (c: Context<App>) =>
    deps.authenticate({ authorization: c.req.header('authorization'), 'x-user-id': c.req.header('x-user-id') })

  app.post('/access/keys', async (c) => {
    const userId = requireUserId(authenticate(c))
    return c.json(await deps.createKey(userId, await readJsonBody(c, NewAccessKey)), 201, NO_STORE)
  })

  app.get('/access/keys', async (c) => {
    authenticate(c)
    const { spaceId, userId } = listFilter(c)
    const body: AccessKeys = { keys: (await keys.list(spaceId, userId)).map(describeAccessKey) }
    return c.json(body, 200, NO_STORE)
  })

  app.delete('/access/keys/:id', async (c) => {
    authenticate(c)
    const id = z.uuid().safeParse(c.req.param('id'))
    const { space_id: spaceId, user_id: userId } = c.req.query()
    // An ID that is not a UUID names no key, so there is nothing to delete.
    if (id.success) await keys.remove(id.data, { spaceId, userId })
    return c.body(null, 204, NO_STORE)
  })

  app.post('/access/revocations', async (c) => {
    authenticate(c)
    const { spaceId, userId, clientId, grantId } = await readJsonBody(c, Revocation)
    await revocations.add({ spaceId, userId, clientId, grantId })
    return c.body(null, 204, NO_STORE)
  })

  app.get('/access/clients', async (c) => {
    authenticate(c)
    const { spaceId, userId } = listFilter(c)
    const body: ActiveClients = { clients: (await activity.list(spaceId, userId)).map(describeClient) }
    return c.json(body, 200, NO_STORE)
  })

  // Clients in web pages send custom headers, so browsers send a preflight request.
  app.options('/.well-known/oauth-protected-resource/*', (c) =>
    c.body(null, 204, {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET',
      'access-control-allow-headers': '*',
      'access-control-max-age': '600',
    }),
  )

  app.get('/.well-known/oauth-protected-resource/*', (c) => {
    // The raw path, because the router decodes it and a space ID may contain a slash.
    const target = describedTarget(new URL(c.req.url).pathname)
    if (!target || deps.issuers.length === 0) return c.notFound()
    return c.json(
      {
        resource: resourceUrl(deps.publicUrl, target),
        authorization_servers: deps.issuers,
        scopes_supported: scopes,
        bearer_methods_supported: ['header'],
        resource_name: 'Notion MCP Gateway',
      },
      200,
      { 'cache-control': 'public, max-age=300', 'access-control-allow-origin': '*' },
    )
  })
}

function listFilter(c: Context<App>): { spaceId: string; userId: string | undefined } {
  const { space_id: spaceId, user_id: userId } = c.req.query()
  if (!spaceId) throw new Failure('missing_space', 'Missing space_id. Add the query parameter space_id.')
  return { spaceId, userId: userId || undefined }
}

function describeClient(client: ClientActivityRecord): ActiveClient {
  return {
    ...(client.clientId === undefined ? {} : { clientId: client.clientId }),
    ...(client.keyId === undefined ? {} : { keyId: client.keyId }),
    userId: client.userId,
    name: client.name,
    ...(client.version === undefined ? {} : { version: client.version }),
    era: client.era,
    firstSeenAt: client.firstSeenAt.toISOString(),
    lastSeenAt: client.lastSeenAt.toISOString(),
  }
}

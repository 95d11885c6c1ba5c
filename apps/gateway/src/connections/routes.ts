import {
  BINDING_COOKIE,
  WorkspaceChangeDecision,
  type AuthorizationStart,
  type Connection,
  type DisconnectReceipt,
  type History,
  type Hold,
} from '@nmg/contract'
import { Hono, type Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { z } from 'zod'
import { DEFAULT_RETURN_PATH, parseReturnPath, type ReturnPath } from './return-path.ts'
import { Failure } from '../platform/failure.ts'
import type { StartAuthorization } from './start-authorization.ts'
import type { Readiness } from '../platform/readiness.ts'
import { type ServicePrincipal, type CallerHeaders, requireUserId } from '../platform/service-token.ts'
import { readJsonBody } from '../platform/json-body.ts'
import type { App } from '../platform/router.ts'
import { problemResponse } from '../platform/problems.ts'

/** The flows behind the routes outside of the MCP endpoint. */
export interface AppDependencies {
  readonly authenticate: (headers: CallerHeaders) => ServicePrincipal
  readonly returnBase: URL
  readonly startAuthorization: (start: StartAuthorization) => Promise<AuthorizationStart>
  readonly finishAuthorization: (response: URLSearchParams, binding: string | undefined) => Promise<URL>
  readonly describeConnection: (spaceId: string) => Promise<Connection>
  readonly connectionHistory: (spaceId: string, before: number | undefined, limit: number) => Promise<History>
  readonly confirmWorkspaceChange: (spaceId: string, userId: string, decision: WorkspaceChangeDecision) => Promise<void>
  readonly disconnect: (spaceId: string, userId: string) => Promise<DisconnectReceipt>
  /** Rejects when the gateway is not ready; resolves to its degraded parts. */
  readonly checkReadiness: () => Promise<Readiness & { readonly hold?: Hold }>
}

export function createApp(deps: AppDependencies): Hono<App> {
  const app = new Hono<App>()
  const callerOf = (c: Context<App>) =>
    deps.authenticate({ authorization: c.req.header('authorization'), 'x-user-id': c.req.header('x-user-id') })

  app.get('/integrations/notion/oauth/mcp/start', async (c) => {
    const userId = requireUserId(callerOf(c))
    const spaceId = spaceIdFrom(c.req.query('space_id'), c.req.queries('space_id')?.length)
    const returnPath = returnPathFrom(c.req.query('return_path'), deps.returnBase)
    const binding = bindingFrom(c.req.query('binding'))
    const confirmsWorkspace = flagFrom('confirm_workspace', c.req.query('confirm_workspace'))
    const start = { spaceId, userId, returnPath, binding, confirmsWorkspace }
    return c.json(await deps.startAuthorization(start), 200, NO_STORE)
  })

  app.get('/integrations/notion/mcp/oauth/callback', async (c) => {
    // Link scanners and prefetching browsers must not redeem the state before the user's own request.
    if (c.req.raw.method !== 'GET' || isPrefetch(c.req.raw.headers)) return c.body(null, 503, NO_STORE)
    const target = await deps.finishAuthorization(new URL(c.req.url).searchParams, getCookie(c, BINDING_COOKIE))
    // The URL contains the code, so it must not be stored or sent as a referrer.
    return c.body(null, 303, { ...NO_STORE, location: target.href, 'referrer-policy': 'no-referrer' })
  })

  app.get('/integrations/notion/:spaceId', async (c) => {
    callerOf(c)
    return c.json(await deps.describeConnection(spaceIdFrom(c.req.param('spaceId'))), 200, NO_STORE)
  })

  app.delete('/integrations/notion/:spaceId', async (c) => {
    const userId = requireUserId(callerOf(c))
    return c.json(await deps.disconnect(spaceIdFrom(c.req.param('spaceId')), userId), 200, NO_STORE)
  })

  app.post('/integrations/notion/:spaceId/waiting', async (c) => {
    const userId = requireUserId(callerOf(c))
    const decision = await readJsonBody(c, WorkspaceChangeDecision)
    const spaceId = spaceIdFrom(c.req.param('spaceId'))
    await deps.confirmWorkspaceChange(spaceId, userId, decision)
    return c.json(await deps.describeConnection(spaceId), 200, NO_STORE)
  })

  app.get('/integrations/notion/:spaceId/events', async (c) => {
    callerOf(c)
    const { before, limit } = pageFrom(c.req.query())
    return c.json(await deps.connectionHistory(spaceIdFrom(c.req.param('spaceId')), before, limit), 200, NO_STORE)
  })

  app.get('/healthz', (c) => c.json({ status: 'ok' }, 200, NO_STORE))

  app.get('/readyz', async (c) => {
    return c.json({ status: 'ready', ...(await deps.checkReadiness()) }, 200, NO_STORE)
  })

  app.notFound((c) => {
    const methods = METHODS.filter((method) => app.router.match(method, c.req.path)[0].length > 0)
    // No other method exists, or a handler of this method found nothing.
    if (methods.length === 0 || methods.includes(c.req.method === 'HEAD' ? 'GET' : c.req.method)) {
      return failureResponse(
        c,
        new Failure('not_found', 'There is no endpoint at this address. See docs/embed.md for the endpoints.'),
      )
    }
    const allow = methods.includes('GET') ? [...methods, 'HEAD'].join(', ') : methods.join(', ')
    const response = failureResponse(c, new Failure('method_not_allowed', `This address supports ${allow}.`))
    response.headers.set('allow', allow)
    return response
  })

  app.onError((error, c) => {
    if (error instanceof Failure) return failureResponse(c, error)
    return failureResponse(
      c,
      new Failure('internal', 'The gateway failed. Its log has the details under this request ID.', { cause: error }),
    )
  })

  return app
}

/** True if a browser loads the page speculatively ([Fetch, Sec-Purpose](https://fetch.spec.whatwg.org/#sec-purpose-header), and what browsers sent before). */
const isPrefetch = (headers: Headers): boolean =>
  ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].some((name) =>
    /\b(prefetch|prerender|preview)\b/i.test(headers.get(name) ?? ''),
  )

const METHODS = ['GET', 'POST', 'DELETE', 'OPTIONS']

const NO_STORE = { 'cache-control': 'no-store' }

function failureResponse(c: Context<App>, failure: Failure): Response {
  c.env.failure = failure
  const { status, headers, body } = problemResponse(failure, c.env.requestId)
  const pairs: [string, string][] = []
  for (let at = 0; at < headers.length; at += 2) pairs.push([headers[at] as string, headers[at + 1] as string])
  return new Response(body, { status, headers: pairs })
}

/** A flag of the query; false if omitted. */
function flagFrom(name: string, text: string | undefined): boolean {
  if (text === undefined || text === '0') return false
  if (text === '1') return true
  throw new Failure('invalid_request', `${name} must be 1 or 0.`)
}

const SpaceId = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]+$/u)

function spaceIdFrom(text: string | undefined, count = 1): string {
  if (count > 1) throw new Failure('invalid_request', 'The request has more than one space_id. Send one.')
  if (text === undefined || text === '')
    throw new Failure('missing_space', 'Missing space_id. Send the space that this is about.')
  const { success, data } = SpaceId.safeParse(text)
  if (!success)
    throw new Failure('invalid_request', 'space_id must have at most 200 characters and no control characters.')
  return data
}

function returnPathFrom(text: string | undefined, base: URL): ReturnPath {
  if (text === undefined) return DEFAULT_RETURN_PATH
  const path = parseReturnPath(text, base)
  if (path === undefined) {
    throw new Failure('invalid_return_path', `return_path must be a path below ${base.origin}, for example /settings.`)
  }
  return path
}

const MAX_BINDING_LENGTH = 500

function bindingFrom(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  if (text === '' || text.length > MAX_BINDING_LENGTH) {
    throw new Failure('invalid_request', `binding must be a random value of at most ${MAX_BINDING_LENGTH} characters.`)
  }
  return text
}

const Page = z.object({
  before: z.coerce.number().int().positive().max(2_147_483_647).optional(),
  limit: z.coerce.number().int().positive().max(200).default(50),
})

function pageFrom(query: Record<string, string>): z.infer<typeof Page> {
  const { success, data } = Page.safeParse(query)
  if (!success) throw new Failure('invalid_request', 'before must be a version, and limit a number from 1 to 200.')
  return data
}

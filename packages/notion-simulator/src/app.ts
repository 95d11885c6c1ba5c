import type { HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { Hono } from 'hono'
import { authorize } from './authorization/authorize.ts'
import { frontPage } from './authorization/consent-page.ts'
import { introspect } from './authorization/introspect.ts'
import { discover } from './authorization/metadata.ts'
import { register } from './authorization/register.ts'
import { tokenEndpoint } from './authorization/token-endpoint.ts'
import { control, type ControlOptions } from './control.ts'
import { withCors } from './cors.ts'
import type { McpEndpoint } from './mcp/endpoint.ts'
import { send } from './send.ts'
import { type State, timestamp } from './state.ts'

/** The simulator's routes. */
export function app(state: State, mcp: McpEndpoint, options?: ControlOptions): Hono<{ Bindings: HttpBindings }> {
  const hono = new Hono<{ Bindings: HttpBindings }>()

  hono.all('/mcp', async ({ env }) => {
    await mcp.handle(env.incoming, env.outgoing)
    return RESPONSE_ALREADY_SENT
  })

  hono.options('*', ({ req }) => withCors(new Response(null, { status: 204 }), req.header('origin')))

  hono.get('/.well-known/mcp.json', ({ req }) =>
    withCors(Response.json(unofficialDiscovery(state)), req.header('origin')),
  )
  hono.get('*', async ({ req }, next) => {
    const document = await discover(state, req.path)
    return document ? withCors(document, req.header('origin')) : next()
  })

  hono.all('/register', async ({ req }) => withCors(await register(state, req.raw), req.header('origin')))
  hono.on(['GET', 'POST'], '/authorize', ({ req }) => authorize(state, req.raw))
  hono.all('/token', async ({ req, env }, next) => {
    const moved = state.options.movedTokenEndpoint
    if (!moved || moved.path === '/token') return token(state, req.raw, env)
    const { path, status = 404 } = moved
    const request = { at: timestamp(state), grantType: 'none', fault: 'moved' }
    state.recorded.tokenRequests.push(status === 'closed' ? request : { ...request, status })
    if (status === 404) return next()
    if (status === 'closed') return closeConnection(env)
    const location = status < 400 ? { location: `${state.url}${path}` } : undefined
    return new Response(null, { status, ...(location && { headers: location }) })
  })
  hono.post('*', ({ req, env }, next) =>
    req.path === state.options.movedTokenEndpoint?.path ? token(state, req.raw, env) : next(),
  )
  hono.post('/introspect', async ({ req, notFound }) =>
    state.options.metadata.introspectionEndpoint ? introspect(state, req.raw) : notFound(),
  )

  if (options) hono.route('/__control', control(state, options))
  hono.get('/', () => frontPage(state.url, state.profile))
  return hono
}

async function token(state: State, request: Request, env: HttpBindings): Promise<Response> {
  const outcome = await tokenEndpoint(state, request)
  if (outcome === 'socket-destroyed') return closeConnection(env)
  const response = withCors(outcome.response, request.headers.get('origin'))
  if (!outcome.cut) return response
  await sendHalf(env.outgoing, response)
  return RESPONSE_ALREADY_SENT
}

function closeConnection(env: HttpBindings): Response {
  env.incoming.socket.destroy()
  return RESPONSE_ALREADY_SENT
}

/** Sends the headers of the complete response and half of its body, then closes the connection. */
async function sendHalf(outgoing: HttpBindings['outgoing'], response: Response): Promise<void> {
  const body = await response.text()
  const headers = new Headers(response.headers)
  headers.set('content-length', String(Buffer.byteLength(body)))
  await send(outgoing, new Response(body, { status: response.status, headers }), {
    cutAfterBytes: Math.floor(Buffer.byteLength(body) / 2),
  })
}

function unofficialDiscovery({ url }: State): Record<string, string> {
  return {
    name: 'Notion',
    description: 'Connect your Notion workspace to search, update, and trigger workflows across tools.',
    icon: 'https://www.notion.com/images/notion-logo-block-main.svg',
    endpoint: `${url}/mcp`,
  }
}

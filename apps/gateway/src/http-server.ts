import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { randomUUID } from 'node:crypto'
import { getRequestListener, RequestError } from '@hono/node-server'
import type { Hono } from 'hono'
import { Failure } from './platform/failure.ts'
import { describeError, type Facts, levelOf, type Log, placesOf } from './platform/log.ts'
import type { App } from './platform/router.ts'
import { mcpTarget } from './proxy/endpoint.ts'
import { problemResponse } from './platform/problems.ts'
import { normalizeForm } from './platform/request-form.ts'
import type { ExchangeRecord } from './proxy/exchange.ts'
import type { McpProxy } from './proxy/proxy.ts'

/** Ids that a caller may choose for its request: nothing that could forge a log line. */
const CALLERS_REQUEST_ID = /^[\w.-]{8,100}$/

/** The caller's own `X-Request-ID` when it is harmless, else a new one. */
export function requestIdOf(req: IncomingMessage): string {
  const given = req.headers['x-request-id']
  return typeof given === 'string' && CALLERS_REQUEST_ID.test(given) ? given : randomUUID()
}

/** The gateway over HTTP: the MCP endpoint straight on the socket, everything else through the router. */
export function createGatewayServer(
  proxy: McpProxy,
  app: Hono<App>,
  log: Log,
  answerBrowser: (req: IncomingMessage, res: ServerResponse) => boolean,
  /** Answers a probe of `npm run doctor`; false for every other request. */
  answerProbe: (req: IncomingMessage, res: ServerResponse) => boolean = () => false,
): Server {
  const server = createServer({ keepAliveTimeout: 75_000, headersTimeout: 60_000, requestTimeout: 120_000 })
  server.on('request', (req: IncomingMessage, res: ServerResponse) => {
    try {
      normalizeForm(req)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      refuse(error, log, req, res)
      return
    }
    if (req.url === '*') res.writeHead(204, { allow: ALL_METHODS }).end()
    else if (answerProbe(req, res)) return
    else if (!mcpTarget(req.url ?? '')) route(app, log, req, res)
    else if (!answerBrowser(req, res)) proxy.handle(req, res)
  })
  // Without a listener, Node closes the connection without a response.
  server.on('connect', (_, socket) => {
    socket.on('error', () => socket.destroy())
    socket.end(
      `HTTP/1.1 405 Method Not Allowed\r\nAllow: ${ALL_METHODS}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    )
  })
  return server
}

/** What there is at any address. */
const ALL_METHODS = 'GET, HEAD, POST, DELETE, OPTIONS'

/** Answers a request whose form is not valid, so that nothing of it can be relied on; its connection ends. */
function refuse(failure: Failure, log: Log, req: IncomingMessage, res: ServerResponse): void {
  const requestId = requestIdOf(req)
  logRequest(log, req, res, { requestId, failure })
  const { status, headers, body } = problemResponse(failure, requestId)
  res.shouldKeepAlive = false
  res.writeHead(status, headers).end(body)
}

function route(app: Hono<App>, log: Log, req: IncomingMessage, res: ServerResponse): void {
  const requestId = requestIdOf(req)
  const bindings: App['Bindings'] = { requestId, incoming: req, failure: undefined }
  logRequest(log, req, res, bindings)
  // Node joins them with a comma: a person that nobody named.
  if ((req.headersDistinct['x-user-id']?.length ?? 0) > 1) {
    const twice = new Failure('invalid_request', 'X-User-ID is there more than once. Send one.')
    bindings.failure = twice
    const { status, headers, body } = problemResponse(twice, requestId)
    res.writeHead(status, headers).end(body)
    return
  }
  void getRequestListener((request) => app.fetch(request, bindings), {
    overrideGlobalObjects: false,
    errorHandler(cause) {
      const isOurs = !(cause instanceof RequestError)
      bindings.failure = new Failure(isOurs ? 'internal' : 'invalid_request', 'The request is not valid.', { cause })
      return new Response(null, { status: isOurs ? 500 : 400 })
    },
  })(req, res)
}

/** One line for each request beside the MCP endpoint, at its end. */
function logRequest(
  log: Log,
  req: IncomingMessage,
  res: ServerResponse,
  about: Pick<App['Bindings'], 'requestId' | 'failure'>,
): void {
  const { requestId } = about
  const startedAt = performance.now()
  res.setHeader('x-request-id', requestId)
  res.once('close', () => {
    // Never the query: a callback carries its code there.
    const path = (req.url ?? '').split('?', 1)[0]
    if ((path === '/healthz' || path === '/readyz') && res.statusCode < 500) return
    const tookMs = Math.round(performance.now() - startedAt)
    const status = res.statusCode
    log[levelFor(status, about.failure)]('request.done', {
      requestId,
      method: req.method,
      path,
      status,
      tookMs,
      ...factsOf(about.failure),
    })
  })
}

/** One line for each call of the MCP endpoint, at its end. */
export function logCall(log: Log, record: ExchangeRecord): void {
  const {
    requestId,
    httpMethod,
    status,
    spaceId,
    userId,
    client,
    rpcMethod,
    tookMs,
    upstreamHeadMs,
    isAborted,
    failure,
  } = record
  log[levelFor(status, failure)]('call.done', {
    requestId,
    method: httpMethod,
    status,
    space: spaceId,
    user: userId,
    client,
    rpc: rpcMethod,
    tookMs: Math.round(tookMs),
    upstreamHeadMs: upstreamHeadMs === undefined ? undefined : Math.round(upstreamHeadMs),
    aborted: isAborted || undefined,
    ...factsOf(failure),
  })
}

/** The failure and, once and here, its cause; for a fault of the gateway, where it came up. */
function factsOf(failure: Failure | undefined): Facts {
  if (!failure) return {}
  const fault = faultIn(failure)
  return {
    failure: failure.code,
    ...(failure.cause === undefined ? {} : { cause: describeError(failure.cause) }),
    ...(fault ? { at: placesOf(fault.cause) } : {}),
  }
}

/** A fault of the gateway itself, also one that is reported as an unknown outcome. */
function faultIn({ code, cause }: Failure): { cause: unknown } | undefined {
  if (code === 'internal') return { cause }
  return cause instanceof Failure ? faultIn(cause) : undefined
}

const levelFor = (status: number, failure: Failure | undefined) =>
  failure && faultIn(failure) ? 'error' : levelOf(status)

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { randomUUID } from 'node:crypto'
import { getRequestListener, RequestError } from '@hono/node-server'
import type { Hono } from 'hono'
import { Failure } from './platform/failure.ts'
import { describeError, type LogFields, levelOf, type Log, stackFramesOf } from './platform/log.ts'
import type { App } from './platform/router.ts'
import { mcpTarget } from './proxy/endpoint.ts'
import { problemResponse } from './platform/problems.ts'
import { normalizeRequest } from './platform/request-form.ts'
import type { ExchangeRecord } from './proxy/exchange.ts'
import type { McpProxy } from './proxy/proxy.ts'

/** Accepted request IDs of callers: no characters that could forge a log line. */
const CALLERS_REQUEST_ID = /^[\w.-]{8,100}$/

/** The caller's `X-Request-ID` if it is valid, otherwise a new one. */
export function requestIdOf(req: IncomingMessage): string {
  const given = req.headers['x-request-id']
  return typeof given === 'string' && CALLERS_REQUEST_ID.test(given) ? given : randomUUID()
}

/** The gateway's HTTP server. The proxy handles the MCP endpoint on the raw request; the router handles everything else. */
export function createGatewayServer(
  proxy: McpProxy,
  app: Hono<App>,
  log: Log,
  handleCors: (req: IncomingMessage, res: ServerResponse) => boolean,
  /** Answers a probe of `npm run doctor`; false for every other request. */
  respondToProbe: (req: IncomingMessage, res: ServerResponse) => boolean = () => false,
): Server {
  const server = createServer({ keepAliveTimeout: 75_000, headersTimeout: 60_000, requestTimeout: 120_000 })
  server.on('request', (req: IncomingMessage, res: ServerResponse) => {
    try {
      normalizeRequest(req)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      rejectRequest(error, log, req, res)
      return
    }
    if (req.url === '*') res.writeHead(204, { allow: ALL_METHODS }).end()
    else if (respondToProbe(req, res)) return
    else if (!mcpTarget(req.url ?? '')) route(app, log, req, res)
    else if (!handleCors(req, res)) proxy.handle(req, res)
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

/** The `Allow` of responses that concern no particular resource. */
const ALL_METHODS = 'GET, HEAD, POST, DELETE, OPTIONS'

/** Rejects a malformed request and closes its connection, whose framing cannot be trusted. */
function rejectRequest(failure: Failure, log: Log, req: IncomingMessage, res: ServerResponse): void {
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
  // Node would join several with a comma, into a user ID that nobody sent.
  if ((req.headersDistinct['x-user-id']?.length ?? 0) > 1) {
    const repeated = new Failure('invalid_request', 'The request has more than one X-User-ID. Send one.')
    bindings.failure = repeated
    const { status, headers, body } = problemResponse(repeated, requestId)
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

/** Logs each request outside of the MCP endpoint when it ends. */
function logRequest(
  log: Log,
  req: IncomingMessage,
  res: ServerResponse,
  context: Pick<App['Bindings'], 'requestId' | 'failure'>,
): void {
  const { requestId } = context
  const startedAt = performance.now()
  res.setHeader('x-request-id', requestId)
  res.once('close', () => {
    // Without the query, which holds the authorization code of a callback.
    const path = (req.url ?? '').split('?', 1)[0]
    if ((path === '/healthz' || path === '/readyz') && res.statusCode < 500) return
    const tookMs = Math.round(performance.now() - startedAt)
    const status = res.statusCode
    log[levelFor(status, context.failure)]('request.done', {
      requestId,
      method: req.method,
      path,
      status,
      tookMs,
      ...failureFields(context.failure),
    })
  })
}

/** Logs a call of the MCP endpoint at its end. */
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
    ...failureFields(failure),
  })
}

/** The failure with its cause, which is logged only here, and the stack frames of a bug in the gateway. */
function failureFields(failure: Failure | undefined): LogFields {
  if (!failure) return {}
  const bug = bugIn(failure)
  return {
    failure: failure.code,
    ...(failure.cause === undefined ? {} : { cause: describeError(failure.cause) }),
    ...(bug ? { at: stackFramesOf(bug.cause) } : {}),
  }
}

/** The bug in the gateway behind this failure, also if it is reported as an unknown outcome. */
function bugIn({ code, cause }: Failure): { cause: unknown } | undefined {
  if (code === 'internal') return { cause }
  return cause instanceof Failure ? bugIn(cause) : undefined
}

const levelFor = (status: number, failure: Failure | undefined) =>
  failure && bugIn(failure) ? 'error' : levelOf(status)

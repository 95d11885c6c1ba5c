/** A reverse proxy with configurable faults. */
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface ReverseProxyOptions {
  /** The origin behind it. */
  readonly upstream: string
  /** Waits for the whole response. */
  readonly buffers?: boolean
  /** Handling of X-Forwarded-For: appends the client's address (default), forwards it unchanged, or removes it. */
  readonly forwardedFor?: 'append' | 'pass' | 'remove'
  /** Sends the upstream's own host, like nginx by default. */
  readonly changesHost?: boolean
  readonly certificate?: { readonly key: string; readonly cert: string }
}

export interface ReverseProxy {
  readonly origin: string
  close(): void
}

export async function reverseProxy(options: ReverseProxyOptions): Promise<ReverseProxy> {
  const { upstream, certificate, buffers = false } = options
  return serve((incoming, response) => {
    const outgoing = request(
      new URL(incoming.url ?? '/', upstream),
      { method: incoming.method ?? 'GET', headers: headersFor(incoming, options), agent: false },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        if (!buffers) {
          answer.pipe(response)
          return
        }
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => response.end(Buffer.concat(chunks)))
      },
    )
    outgoing.on('error', () => response.writeHead(502).end())
    incoming.pipe(outgoing)
  }, certificate)
}

/** Starts a server on this machine, with a separate origin. */
export async function serve(
  listener: RequestListener,
  certificate?: ReverseProxyOptions['certificate'],
): Promise<ReverseProxy> {
  const server = certificate ? createSecureServer(certificate, listener) : createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    origin: `${certificate ? 'https' : 'http'}://localhost:${port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

function headersFor(
  incoming: IncomingMessage,
  { upstream, forwardedFor = 'append', changesHost }: ReverseProxyOptions,
) {
  const { 'x-forwarded-for': given, ...headers } = incoming.headers
  const peer = incoming.socket.remoteAddress ?? ''
  const forwarded =
    forwardedFor === 'remove' ? undefined : forwardedFor === 'pass' ? given : [given ?? [], peer].flat().join(', ')
  return {
    ...headers,
    ...(changesHost && { host: new URL(upstream).host }),
    ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }),
  }
}

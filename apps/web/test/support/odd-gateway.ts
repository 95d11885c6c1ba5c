import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Stands between a web app and its gateway, and makes the MCP server behind it say what Notion does not say today. */
export interface OddGateway {
  readonly url: string
  /** The gateway itself. */
  target: string
  /** Put before the tools that are listed. */
  oddTools: readonly unknown[]
  /** Results of calls, by the tool's name, in place of the server's own. */
  results: Readonly<Record<string, object>>
  stop(): Promise<void>
}

interface RpcRequest {
  readonly id?: unknown
  readonly method?: string
  readonly params?: { readonly name?: string }
}

export async function startOddGateway(): Promise<OddGateway> {
  const server = createServer((request, response) => void serve(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const odd: OddGateway = {
    url: `http://127.0.0.1:${port}`,
    target: '',
    oddTools: [],
    results: {},
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const body = Buffer.concat(pieces)
    const rpc = rpcIn(body)
    const result = rpc.method === 'tools/call' ? odd.results[rpc.params?.name ?? ''] : undefined
    if (result !== undefined) {
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: rpc.id, result: { resultType: 'complete', ...result } }))
      return
    }
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers
    try {
      const answer = await fetch(odd.target + (request.url ?? ''), {
        method: request.method ?? 'GET',
        headers: headers as Record<string, string>,
        ...(body.length > 0 && { body }),
        redirect: 'manual',
        signal: gone.signal,
      })
      const kept = [...answer.headers].filter(([name]) => !['content-length', 'transfer-encoding'].includes(name))
      response.writeHead(answer.status, Object.fromEntries(kept))
      if (rpc.method === 'tools/list') {
        const tools = odd.oddTools.map((tool) => `${JSON.stringify(tool)},`).join('')
        response.end((await answer.text()).replace('"tools":[', () => `"tools":[${tools}`))
        return
      }
      for await (const piece of answer.body ?? []) response.write(piece)
      response.end()
    } catch {
      response.destroy()
    }
  }
  return odd
}

function rpcIn(body: Buffer): RpcRequest {
  try {
    return JSON.parse(body.toString()) as RpcRequest
  } catch {
    return {}
  }
}

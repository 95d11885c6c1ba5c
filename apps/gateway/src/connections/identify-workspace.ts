import { throughProxy, type OutboundProxy } from '@nmg/outbound'
import { VERSION } from '@nmg/process'
import { Agent } from 'undici'
import { z } from 'zod'
import { describeError, type Log } from '../platform/log.ts'
import type { IdentifyWorkspace } from './authorization-server.ts'
import { oneResponseFetch } from './one-response-fetch.ts'

const TIMEOUT_MS = 8_000

/** The part of the `notion-fetch` result for `self` that is used here. */
const short = z.string().transform((text) => text.slice(0, 200))
const Self = z.object({ self: z.object({ workspace: z.object({ id: short, name: short }).partial() }) })

/**
 * Identifies the workspace of an access token with the tool `notion-fetch` and the id `self`, since token responses need not contain it.
 */
export function identifyWorkspace(mcpServer: URL, log: Log, proxy?: OutboundProxy): IdentifyWorkspace {
  return async (accessToken) => {
    // Loaded on first use, so that it does not delay the start.
    const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client')
    const dispatcher = new Agent(proxy && { connect: throughProxy(proxy) })
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const transport = new StreamableHTTPClientTransport(mcpServer, {
      requestInit: { headers: { authorization: `Bearer ${accessToken.reveal()}` }, redirect: 'error' },
      fetch: oneResponseFetch(dispatcher, signal),
    })
    const client = new Client({ name: 'notion-mcp-gateway', version: VERSION })
    try {
      await client.connect(transport, { signal, timeout: TIMEOUT_MS })
      const result = await client.callTool(
        { name: 'notion-fetch', arguments: { id: 'self' } },
        { signal, timeout: TIMEOUT_MS },
      )
      const [block] = result.content
      if (block?.type !== 'text') return undefined
      return Self.parse(JSON.parse(block.text)).self.workspace
    } catch (error) {
      log.warn('workspace.not_identified', describeError(error))
      return undefined
    } finally {
      const end = async () => {
        await transport.terminateSession().catch(() => undefined)
        await client.close().catch(() => undefined)
        await dispatcher.destroy()
      }
      // Not awaited, as a server may be slow to end a session.
      void end()
    }
  }
}

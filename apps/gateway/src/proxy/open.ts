/** Puts together the MCP proxy. */
import type { OutboundProxy } from '@nmg/outbound'
import { VERSION } from '@nmg/process'
import type { Connections } from '../connections/open.ts'
import { every } from '../platform/every.ts'
import { Failure } from '../platform/failure.ts'
import type { Platform } from '../platform/open.ts'
import type { AccessTokens } from '../refresh/ports.ts'
import { type AdmissionLimits, DEFAULT_LIMITS } from './admission.ts'
import { httpUpstream } from './http-upstream.ts'
import { postgresMcpSessions } from './postgres-mcp-sessions.ts'
import { type McpProxy, mcpProxy, type ProxyDependencies } from './proxy.ts'

const CONNECT_TIMEOUT_MS = 5_000
/** How often calls of spaces are looked at that were disconnected while notifications were interrupted. */
const CLOSE_GAP_EVERY_MS = 5_000

export interface ProxyOptions extends Required<
  Pick<ProxyDependencies, 'authenticate' | 'errorResponse' | 'maxBodyBytes' | 'requestId' | 'onDone'>
> {
  readonly platform: Platform
  readonly connections: Connections
  readonly accessTokens: AccessTokens
  /** The MCP server. */
  readonly upstreamUrl: URL
  readonly outboundProxy: OutboundProxy | undefined
  readonly headTimeoutMs: number
  readonly streamMaxAgeMs: number
  readonly limits: Pick<AdmissionLimits, 'calls' | 'callsPerSpace' | 'streams' | 'streamsPerSpace'>
  readonly connectUrl: (spaceId: string) => string
}

/** `close` aborts whatever is still under way; `drain` first. */
export function openProxy(options: ProxyOptions): McpProxy & { close(): Promise<void> } {
  const { platform, connections, accessTokens, connectUrl, maxBodyBytes } = options
  const { changes, store, requestStepUp } = connections
  const upstream = httpUpstream({
    url: options.upstreamUrl,
    userAgent: `notion-mcp-gateway/${VERSION}`,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    proxy: options.outboundProxy,
    headTimeoutMs: options.headTimeoutMs,
    maxAgeMs: options.streamMaxAgeMs,
  })
  const proxy = mcpProxy({
    accessTokens,
    sessions: postgresMcpSessions(platform.sql),
    upstream,
    ...(requestStepUp && { requestStepUp }),
    connectUrl,
    authenticate: options.authenticate,
    errorResponse: options.errorResponse,
    maxBodyBytes,
    limits: {
      ...DEFAULT_LIMITS,
      ...options.limits,
      bodyBytesEach: Math.max(DEFAULT_LIMITS.bodyBytesEach, maxBodyBytes),
    },
    requestId: options.requestId,
    onDone: options.onDone,
  })

  // Close a space's open calls on every replica when it is disconnected.
  const endSpace = (spaceId: string) => {
    const link = connectUrl(spaceId)
    proxy.end(spaceId, new Failure('not_connected', `No Notion integration connected any more for this space: ${link}`))
  }
  let hasGap = false
  changes.onChange((spaceId, _version, isDisconnected) => isDisconnected && endSpace(spaceId))
  changes.onGap(() => (hasGap = true))
  const closeGap = async () => {
    if (!hasGap || !changes.isConnected()) return
    hasGap = false
    for (const spaceId of proxy.spaces()) {
      if ((await store.read(spaceId)).connection.status === 'disconnected') endSpace(spaceId)
    }
  }
  const stopClosingGaps = every(CLOSE_GAP_EVERY_MS, closeGap, platform.log)

  return {
    ...proxy,
    async close() {
      await stopClosingGaps()
      upstream.close()
    },
  }
}

/** The status of a presented refresh token at that moment. */
export type TokenStatus = 'current' | 'previous' | 'retired' | 'unknown'

/** One request to the token endpoint. No secret is in it. */
export type RecordedTokenRequest = {
  at: string
  /** `authorization_code`, `refresh_token`, `revocation`, or whatever else was asked for. */
  grantType: string
  clientId?: string
  grantId?: string
  /** The token that was presented: which rotation made it (0 is the code exchange), and what it was worth. */
  presented?: { generation: number | null; standing: TokenStatus }
  /** What was decided; with a fault, not necessarily what the client was told. */
  outcome?: { error?: string; description?: string; generation?: number; grantRevoked?: boolean }
  /** HTTP status that was sent; absent when the socket was cut instead. */
  status?: number
  fault?: string
}

/** Whose token came with an MCP request. The token itself is not kept. */
export type RecordedCredential = {
  kind: 'none' | 'access_token' | 'personal_access_token' | 'unknown'
  grantId?: string
  generation?: number
  userId?: string
  workspaceId?: string
  standing?: 'valid' | 'expired' | 'revoked' | 'not-yet-known' | 'wrong-audience'
}

/** One request to the MCP endpoint. */
export type RecordedMcpRequest = {
  at: string
  httpMethod: string
  /** As received, names in lower case, except `authorization`, which is replaced by a description. */
  headers: Record<string, string>
  credential: RecordedCredential
  body: string
  bodyBytes: number
  /** JSON-RPC method, when the body was one message. */
  method?: string
  id?: string | number
  tool?: string
  /** How the tool's work ended; `abandoned`: the caller had cancelled or gone away by then. */
  toolOutcome?: 'success' | 'error' | 'abandoned'
  status?: number
  fault?: string
  /** Bytes of the answer's body that were written. */
  sentBytes: number
  /** The client went away before the answer was complete. */
  aborted: boolean
  abortedAt?: string
  finishedAt?: string
}

/** One `GET` of a discovery document. */
export type RecordedDiscovery = { at: string; path: string }
export type RecordedRegistration = { at: string; status: number; clientId?: string; metadata?: unknown }
export type RecordedAuthorization = {
  at: string
  /** Query parameters of the authorization request. */
  parameters: Record<string, string>
  outcome: 'page' | 'allowed' | 'denied' | 'refused'
  detail?: string
  grantId?: string
}

/** All requests to the simulator, oldest first. */
export type RecordedRequests = {
  discoveries: RecordedDiscovery[]
  registrations: RecordedRegistration[]
  authorizations: RecordedAuthorization[]
  tokenRequests: RecordedTokenRequest[]
  mcpRequests: RecordedMcpRequest[]
}

export function noRequests(): RecordedRequests {
  return { discoveries: [], registrations: [], authorizations: [], tokenRequests: [], mcpRequests: [] }
}

/** Empties the lists in place, so that references to them stay valid. */
export function clearRequests(recorded: RecordedRequests): void {
  for (const list of Object.values(recorded)) list.length = 0
}

/** How many of each. */
export function countRequests(recorded: RecordedRequests): Record<string, number> {
  const ofGrantType = (grantType: string) => recorded.tokenRequests.filter((request) => request.grantType === grantType)
  return {
    discoveries: recorded.discoveries.length,
    registrations: recorded.registrations.length,
    authorizations: recorded.authorizations.length,
    tokenRequests: recorded.tokenRequests.length,
    codeExchanges: ofGrantType('authorization_code').length,
    refreshes: ofGrantType('refresh_token').length,
    revocations: ofGrantType('revocation').length,
    mcpRequests: recorded.mcpRequests.length,
    toolCalls: recorded.mcpRequests.filter((request) => request.method === 'tools/call').length,
    aborted: recorded.mcpRequests.filter((request) => request.aborted).length,
  }
}

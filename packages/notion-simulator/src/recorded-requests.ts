/** The status of a presented refresh token at that moment. */
export type TokenStatus = 'current' | 'previous' | 'retired' | 'unknown'

/** One request to the token endpoint, without secrets. */
export type RecordedTokenRequest = {
  at: string
  /** `authorization_code`, `refresh_token`, `revocation`, or the unknown grant type of the request. */
  grantType: string
  clientId?: string
  grantId?: string
  /** The presented token: the rotation that issued it (0: the code exchange), and its status. */
  presented?: { generation: number | null; standing: TokenStatus }
  /** The result. With a fault, the response may differ. */
  outcome?: { error?: string; description?: string; generation?: number; grantRevoked?: boolean }
  /** The HTTP status of the response; absent when the socket was closed instead. */
  status?: number
  fault?: string
}

/** The credential of an MCP request, without the token. */
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
  /** As received, with names in lower case; `authorization` is replaced by a description. */
  headers: Record<string, string>
  credential: RecordedCredential
  body: string
  bodyBytes: number
  /** The JSON-RPC method, if the body is one message. */
  method?: string
  id?: string | number
  tool?: string
  /** The result of the tool; `abandoned`: the client had cancelled or disconnected. */
  toolOutcome?: 'success' | 'error' | 'abandoned'
  status?: number
  fault?: string
  /** Bytes of the response body that were sent. */
  sentBytes: number
  /** The client disconnected before the response was complete. */
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

/** Counts the requests by kind. */
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

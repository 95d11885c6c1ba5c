/** Who opened an MCP session. A session belongs to one person in one space, and to one client of theirs. */
export interface SessionOwner {
  readonly spaceId: string
  /** Empty for an application that names no person. */
  readonly userId: string
  /** The MCP client that the person uses; left out for an application. */
  readonly client?: string | undefined
}

/** Which MCP session ids upstream gave to whom; shared by all replicas. Ids are kept as hashes. */
export interface McpSessions {
  /** Durable before it resolves, so that any replica knows the session when its client comes back. */
  remember(sessionId: string, owner: SessionOwner): Promise<void>
  /** Undefined for an id that upstream never gave out through this gateway. Synchronous when it is in memory. */
  owner(sessionId: string): SessionOwner | undefined | Promise<SessionOwner | undefined>
  /** After a DELETE that upstream honoured. */
  forget(sessionId: string): Promise<void>
}

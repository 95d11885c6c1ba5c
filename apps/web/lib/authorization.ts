import type { Scope } from '@nmg/contract'

/** What a user decided about a client's request. */
export type Decision =
  | { readonly allow: false }
  | {
      readonly allow: true
      readonly spaceId: string
      /** No more than was asked for. */
      readonly scopes: readonly (Scope | 'offline_access')[]
      /** Of the browser in which they did. */
      readonly userAgent: string
    }

/** An MCP client that registered, or whose document was read. */
export interface KnownClient {
  readonly clientId: string
  /** As it calls itself: any client can choose any name. */
  readonly name: string
  readonly redirectUris: readonly string[]
  /** By the operator. */
  readonly isDisabled: boolean
}

/** One login of one client on one machine, for one space. */
export interface ListedGrant {
  readonly id: string
  readonly clientId: string
  readonly clientName: string
  readonly spaceId: string
  readonly scope: string
  /** Of the browser in which it was allowed; empty when that is not known. */
  readonly userAgent: string
  readonly createdAt: Date
  /** When it last got tokens. */
  readonly lastUsedAt: Date | null
}

/** What pages and routes need of the authorization server for MCP clients. */
export interface ClientAuthorization {
  /**
   * Applies the user's decision. The caller has authenticated the user and checked the membership.
   *
   * @param asked The query that the consent page was opened with.
   * @returns where the browser goes next; undefined when the request is not one of ours, or too old.
   */
  decide(userId: string, asked: string, made: Decision): Promise<string | undefined>
  /** The user's grants, the latest first. */
  grants(userId: string): Promise<ListedGrant[]>
  /** Ends one grant of the user, or all of them: no more refreshes, and the gateway refuses their access tokens. */
  revoke(userId: string, which: { readonly grantId: string } | 'all'): Promise<void>
  client(clientId: string): Promise<KnownClient | undefined>
  /** Delivers revocations of ended memberships to the gateway now. Never throws: the outbox retries until the gateway confirms. */
  deliverRevocations(): Promise<void>
}

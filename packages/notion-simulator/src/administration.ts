import { type Grant, type GrantFilter, matches } from './authorization/grants.ts'
import type { McpEndpoint } from './mcp/endpoint.ts'
import type { IssuedSecret } from './secrets.ts'
import type { State } from './state.ts'
import { accounts } from './workspace/workspace.ts'

/** A grant as shown to an administrator, without secrets. */
export type GrantSummary = {
  grantId: string
  userId: string
  workspaceId: string
  clientId: string
  createdAt: string
  lastRefreshedAt: string
  /** When it expires. */
  endsAt: string
  /** The rotation that issued the current refresh token; `null` until the code is exchanged. */
  generation: number | null
  status: 'code-pending' | 'active' | 'revoked' | 'expired'
  revokedBecause?: string
}

export type ClientSummary = { clientId: string; name?: string; authMethod: string; redirectUris: readonly string[] }

/** Actions of Notion or of the owner of a workspace, which a client does not notice. */
export type Administration = {
  grants(filter?: GrantFilter): GrantSummary[]
  /** Revokes these grants, or all: access tokens get 401, refresh tokens `invalid_grant` "OAuth grant revoked". */
  revokeGrants(filter?: GrantFilter): number
  /** Expires the access tokens; their grants stay valid. */
  expireAccessTokens(filter?: GrantFilter): number
  clients(): ClientSummary[]
  /** Deletes this registration, or all: its client gets `invalid_client` from then on. */
  forgetClients(clientId?: string): number
  /** Closes the MCP sessions (profile `notion-2026-01`). */
  forgetSessions(): Promise<number>
  notifyToolsChanged(): Promise<void>
  /** Issues a personal access token (`ntn_…`) for a user (id, email or first name) in a workspace (id or name). */
  issuePersonalAccessToken(user: string, workspace: string): string
  /** All tokens, codes and client secrets ever issued, and PKCE verifiers received. */
  issuedSecrets(): readonly IssuedSecret[]
}

export function administration(state: State, mcp: McpEndpoint): Administration {
  const { grants, clients, clock } = state
  return {
    grants: (filter) =>
      grants
        .all()
        .filter((grant) => matches(grant, filter))
        .map((grant) => summary(state, grant)),
    revokeGrants(filter) {
      const ended = grants.all().filter((grant) => !grant.revoked && matches(grant, filter))
      for (const grant of ended) grants.revoke(grant, 'revoked by an administrator')
      return ended.length
    },
    expireAccessTokens: (filter) => grants.expireAccessTokens(filter),
    clients: () =>
      clients
        .all()
        .filter(({ expiresAt }) => expiresAt === undefined || expiresAt > clock.now())
        .map(({ id, name, authMethod, redirectUris }) => ({
          clientId: id,
          ...(name !== undefined && { name }),
          authMethod,
          redirectUris,
        })),
    forgetClients: (clientId) => clients.forget(clientId),
    forgetSessions: () => mcp.forgetSessions(),
    notifyToolsChanged: () => mcp.notifyToolsChanged(),
    issuePersonalAccessToken(user, workspace) {
      const account = accounts(state.workspaces, user, workspace)[0]
      if (!account) throw new Error(`${user} is not a member of ${workspace}`)
      return state.personalAccessTokens.issue({ userId: account.user.id, workspaceId: account.workspace.id })
    },
    issuedSecrets: () => state.issuedSecrets.all(),
  }
}

function summary({ grants, clock }: State, grant: Grant): GrantSummary {
  const iso = (ms: number) => new Date(ms).toISOString()
  const endsAt = grants.endsAt(grant)
  const exchanged = grant.rotations.at(-1)
  const status = grant.revoked
    ? 'revoked'
    : !exchanged
      ? clock.now() < grant.code.expiresAt
        ? 'code-pending'
        : 'expired'
      : clock.now() < endsAt
        ? 'active'
        : 'expired'
  return {
    grantId: grant.id,
    userId: grant.userId,
    workspaceId: grant.workspaceId,
    clientId: grant.clientId,
    createdAt: iso(grant.createdAt),
    lastRefreshedAt: iso(grant.lastRefreshedAt),
    endsAt: iso(endsAt),
    generation: exchanged?.current.generation ?? null,
    status,
    ...(grant.revoked && { revokedBecause: grant.revoked.because }),
  }
}

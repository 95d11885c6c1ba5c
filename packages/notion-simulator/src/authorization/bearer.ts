import { MINUTE } from '../clock.ts'
import type { RecordedCredential } from '../recorded-requests.ts'
import { mcpUrl, type State } from '../state.ts'
import type { AccessToken } from './grants.ts'
import { PROTECTED_RESOURCE_PATH } from './metadata.ts'
import { jsonResponse, NO_STORE } from './oauth-error.ts'
import { coversEndpoint } from './resource.ts'

/** The user and workspace of a request. */
export type Principal = { userId: string; workspaceId: string; connectionId: string }

export type BearerCheck =
  { credential: RecordedCredential; principal: Principal } | { credential: RecordedCredential; refusal: Response }

/** Checks the `Authorization` of an MCP request. The 401 depends on the profile. */
export function checkBearer(state: State, authorization: string | null, path: string): BearerCheck {
  // Case-sensitive, as upstream.
  if (!authorization?.startsWith('Bearer ')) {
    return { credential: { kind: authorization ? 'unknown' : 'none' }, refusal: missing(state, path) }
  }
  const token = authorization.slice('Bearer '.length)
  const owner = state.personalAccessTokens.find(token)
  if (owner) {
    const principal = { ...owner, connectionId: `pat:${owner.userId}:${owner.workspaceId}` }
    return { credential: { kind: 'personal_access_token', ...owner, standing: 'valid' }, principal }
  }
  const accessToken = state.grants.findAccessToken(token)
  const grant = accessToken && state.grants.find(accessToken.userId, accessToken.grantId)
  if (!accessToken || !grant) {
    return { credential: { kind: 'unknown' }, refusal: invalid(state, path, 'Invalid access token') }
  }
  const status = statusOf(state, accessToken)
  const { userId, workspaceId } = grant
  const credential: RecordedCredential = {
    kind: 'access_token',
    grantId: grant.id,
    generation: accessToken.generation,
    userId,
    workspaceId,
    standing: status,
  }
  switch (status) {
    case 'valid':
      return { credential, principal: { userId, workspaceId, connectionId: grant.id } }
    case 'wrong-audience':
      return {
        credential,
        refusal: invalid(state, path, 'Token audience does not match resource server', 'Invalid audience'),
      }
    case 'expired': {
      // Expired records are deleted; they can be found for about a minute.
      const lingers = state.clock.now() - accessToken.expiresAt < MINUTE
      return { credential, refusal: invalid(state, path, lingers ? 'Access token expired' : 'Invalid access token') }
    }
    case 'revoked':
    case 'not-yet-known':
      return { credential, refusal: invalid(state, path, 'Invalid access token') }
  }
}

function statusOf({ clock, options, url }: State, token: AccessToken): NonNullable<RecordedCredential['standing']> {
  const now = clock.now()
  if (now < token.issuedAt + options.kvLagMs) return 'not-yet-known'
  if (token.revokedAt !== undefined && now >= token.revokedAt + options.kvLagMs) return 'revoked'
  if (now >= token.expiresAt) return 'expired'
  const covered = token.audience.some((audience) => coversEndpoint(audience, `${url}/mcp`, options.originAudience))
  return token.audience.length === 0 || covered ? 'valid' : 'wrong-audience'
}

function challenge(state: State, path: string, ...details: string[]): string {
  const metadata = `${state.url}${PROTECTED_RESOURCE_PATH}${path}`
  return ['Bearer realm="OAuth"', `resource_metadata="${metadata}"`, ...details].join(', ')
}

function missing(state: State, path: string): Response {
  if (state.options.challenge === 'bare') {
    return new Response(null, { status: 401, headers: { 'www-authenticate': challenge(state, path) } })
  }
  const description = 'Missing or invalid access token'
  return invalid(state, path, description, description)
}

function invalid(state: State, path: string, description: string, inHeader?: string): Response {
  const details = ['error="invalid_token"', ...(inHeader ? [`error_description="${inHeader}"`] : [])]
  return jsonResponse({ error: 'invalid_token', error_description: description }, 401, {
    ...NO_STORE,
    'www-authenticate': challenge(state, path, ...details),
  })
}

/** The response of the fault `unauthorized`. */
export function unknownTokenResponse(state: State): Response {
  return invalid(state, new URL(mcpUrl(state)).pathname, 'Invalid access token')
}

/** The response of the fault `insufficient-scope` ([RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)). */
export function insufficientScopeResponse(state: State, scope: string): Response {
  const { pathname } = new URL(mcpUrl(state))
  const error = 'insufficient_scope'
  return jsonResponse({ error, error_description: `This needs the scope ${scope}` }, 403, {
    ...NO_STORE,
    'www-authenticate': challenge(state, pathname, `error="${error}"`, `scope="${scope}"`),
  })
}

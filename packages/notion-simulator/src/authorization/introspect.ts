import { SECOND } from '../clock.ts'
import type { State } from '../state.ts'
import { authenticateClient, readTokenForm } from './client-authentication.ts'
import { jsonResponse, NO_STORE, OAuthError, oauthErrorResponse } from './oauth-error.ts'

/**
 * Token introspection (RFC 7662). Notion does not document this endpoint; here it follows the RFC. Tokens of other clients are inactive, like unknown
 * ones.
 */
export async function introspect(state: State, request: Request): Promise<Response> {
  try {
    const form = await readTokenForm(request)
    const { client } = await authenticateClient(state, request, form)
    const token = form.get('token')
    if (!token) throw new OAuthError('invalid_request', 'Token parameter is required')
    return jsonResponse(describe(state, client.id, token), 200, NO_STORE)
  } catch (error) {
    if (error instanceof OAuthError) return oauthErrorResponse(error)
    throw error
  }
}

function describe(state: State, clientId: string, token: string): Record<string, unknown> {
  const [userId = '', grantId = ''] = token.split(':')
  const grant = state.grants.find(userId, grantId)
  if (!grant || grant.clientId !== clientId || grant.revoked) return { active: false }
  const about = { active: true, client_id: clientId, sub: userId, scope: grant.scope }
  const accessToken = state.grants.findAccessToken(token)
  const now = state.clock.now()
  if (accessToken) {
    if (accessToken.revokedAt !== undefined || accessToken.expiresAt <= now) return { active: false }
    return {
      ...about,
      token_type: 'bearer',
      iat: Math.floor(accessToken.issuedAt / SECOND),
      exp: Math.floor(accessToken.expiresAt / SECOND),
      ...(accessToken.audience.length > 0 && { aud: accessToken.audience }),
    }
  }
  const { status } = state.grants.tokenStatus(grant, token)
  if ((status !== 'current' && status !== 'previous') || state.grants.endsAt(grant) <= now) return { active: false }
  return { ...about, exp: Math.floor(state.grants.endsAt(grant) / SECOND) }
}

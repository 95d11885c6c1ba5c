import { createHash } from 'node:crypto'
import { SECOND } from '../clock.ts'
import { sameSecret } from '../secrets.ts'
import type { RecordedTokenRequest } from '../recorded-requests.ts'
import type { State } from '../state.ts'
import { findWorkspace } from '../workspace/workspace.ts'
import type { TokenForm } from './client-authentication.ts'
import type { Client } from './clients.ts'
import type { Grant, IssuedTokens } from './grants.ts'
import { OAuthError } from './oauth-error.ts'
import { audienceOf, requestedResources } from './resource.ts'

/**
 * `authorization_code`: exchanges the code for the first pair of tokens. The order of the checks is that of upstream.
 *
 * @param applied `false`: the code stays valid, and the tokens are invalid.
 */
export function exchangeCode(
  state: State,
  client: Client,
  form: TokenForm,
  record: RecordedTokenRequest,
  applied: boolean,
): Record<string, unknown> {
  const code = form.get('code')
  if (!code) throw new OAuthError('invalid_request', 'Authorization code is required')
  const [userId, grantId, ...rest] = code.split(':')
  if (!userId || !grantId || rest.length !== 1) {
    throw new OAuthError('invalid_grant', 'Invalid authorization code format')
  }
  const grant = state.grants.find(userId, grantId)
  if (!grant) throw new OAuthError('invalid_grant', 'Grant not found or authorization code expired')
  record.grantId = grant.id
  if (grant.code.used) {
    state.grants.revoke(grant, 'authorization code used twice')
    record.outcome = { grantRevoked: true }
    throw new OAuthError('invalid_grant', 'Authorization code already used')
  }
  if (grant.revoked || state.clock.now() >= grant.code.expiresAt) {
    throw new OAuthError('invalid_grant', 'Grant not found or authorization code expired')
  }
  if (!sameSecret(grant.code.hash, hashOf(code))) throw new OAuthError('invalid_grant', 'Invalid authorization code')
  if (grant.clientId !== client.id) throw new OAuthError('invalid_grant', 'Client ID mismatch')
  checkRedirectUri(grant, form.get('redirect_uri'))
  checkCodeVerifier(state, grant, form.get('code_verifier'))
  const audience = audienceOf(grant.resources, requireResources(state, form), state.options.strictResource)
  const scope = scopeOf(grant, form)

  if (applied) grant.code.used = true
  const issued = applied ? state.grants.issue(grant, audience) : state.grants.issueInvalid(grant)
  return tokenResponse(state, grant, audience, issued, scope, record)
}

/** @throws {OAuthError} `invalid_target` for any resource but the MCP endpoint. */
export function requireResources(state: State, form: TokenForm): string[] {
  const resources = requestedResources(state, form.resources)
  if (resources) return resources
  const description = 'The resource parameter must name exactly one configured protected resource'
  throw new OAuthError('invalid_target', description)
}

/** The granted scopes, or those of them that the request names (RFC 6749 §6). */
function scopeOf(grant: Grant, form: TokenForm): string {
  const granted = grant.scope.split(' ').filter(Boolean)
  const requested = (form.get('scope') ?? '').split(' ').filter(Boolean)
  if (requested.length === 0) return granted.join(' ')
  const scopes = requested.filter((name) => granted.includes(name))
  if (scopes.length === 0) throw new OAuthError('invalid_scope', 'None of the requested scopes were granted')
  return scopes.join(' ')
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')

function checkRedirectUri(grant: Grant, redirectUri: string | undefined): void {
  if (redirectUri === undefined && !grant.code.pkce) {
    throw new OAuthError('invalid_request', 'redirect_uri is required when not using PKCE')
  }
  if (redirectUri !== undefined && redirectUri !== grant.redirectUri) {
    throw new OAuthError('invalid_grant', 'Invalid redirect URI')
  }
}

function checkCodeVerifier(state: State, grant: Grant, verifier: string | undefined): void {
  const { pkce } = grant.code
  if (verifier !== undefined) state.issuedSecrets.add({ kind: 'code_verifier', value: verifier, grantId: grant.id })
  if (!pkce) {
    if (verifier === undefined) return
    throw new OAuthError('invalid_request', 'code_verifier provided for a flow that did not use PKCE')
  }
  if (verifier === undefined) throw new OAuthError('invalid_request', 'code_verifier is required for PKCE')
  const challenge = pkce.method === 'S256' ? createHash('sha256').update(verifier).digest('base64url') : verifier
  if (challenge !== pkce.challenge) throw new OAuthError('invalid_grant', 'Invalid PKCE code_verifier')
}

/**
 * `refresh_token`: issues a new pair. The presented token becomes the previous one and stays valid until the new one is used. Presenting a token that
 * was rotated out before the grace period revokes the grant.
 *
 * @param applied `false`: nothing rotates, and the tokens are invalid.
 */
export function refresh(
  state: State,
  client: Client,
  form: TokenForm,
  record: RecordedTokenRequest,
  applied: boolean,
): Record<string, unknown> {
  const { options, grants, clock } = state
  const token = form.get('refresh_token')
  if (!token) throw new OAuthError('invalid_request', 'Refresh token is required')
  const [userId, grantId, ...rest] = token.split(':')
  if (!userId || !grantId || rest.length !== 1) throw new OAuthError('invalid_grant', 'Invalid token format')
  const grant = grants.find(userId, grantId)
  if (!grant) throw new OAuthError('invalid_grant', 'Grant not found')
  record.grantId = grant.id
  const { status, generation, since } = grants.tokenStatus(grant, token)
  record.presented = { standing: status, generation }

  if (grant.revoked) throw new OAuthError('invalid_grant', 'OAuth grant revoked')
  const leftMs = grants.endsAt(grant) - clock.now()
  if (leftMs <= 0 || leftMs < options.minimumGrantLifeSeconds * SECOND) {
    throw new OAuthError('invalid_grant', 'Refresh token has expired')
  }
  const isSingleUse = options.singleUseRefreshTokens
  const pastGrace = isSingleUse || (since !== undefined && since <= clock.now() - options.graceMs)
  const isUsed = status === 'previous' && (isSingleUse || options.previousOutsideGraceIsReuse)
  const isReuse = status === 'retired' || isUsed
  if (isReuse && pastGrace && options.reuseDetection) {
    grants.revoke(grant, 'refresh token reused')
    record.outcome = { grantRevoked: true }
    throw new OAuthError('invalid_grant', 'OAuth grant revoked')
  }
  if (!(status === 'current' || (status === 'previous' && !isSingleUse)) || generation === null) {
    throw new OAuthError('invalid_grant', 'Invalid refresh token')
  }
  if (grant.clientId !== client.id) throw new OAuthError('invalid_grant', 'Client ID mismatch')
  const audience = audienceOf(grant.resources, requireResources(state, form), options.strictResource)
  const scope = scopeOf(grant, form)

  const issued = applied
    ? grants.issue(grant, audience, { hash: hashOf(token), generation })
    : grants.issueInvalid(grant)
  return tokenResponse(state, grant, audience, issued, scope, record)
}

/** Records the issued generation and creates the response. */
export function tokenResponse(
  state: State,
  grant: Grant,
  audience: string[],
  issued: IssuedTokens,
  scope: string,
  record: RecordedTokenRequest,
): Record<string, unknown> {
  record.outcome = issued.generation === undefined ? {} : { generation: issued.generation }
  const [resource, ...others] = audience
  return {
    access_token: issued.accessToken,
    token_type: 'bearer',
    expires_in: issued.expiresInSeconds,
    ...(state.options.refreshTokens && { refresh_token: issued.refreshToken }),
    scope,
    ...(resource !== undefined && { resource: others.length > 0 ? audience : resource }),
    ...(state.options.identityFields && {
      user_id: grant.userId,
      workspace_id: grant.workspaceId,
      email_domain: findWorkspace(state.workspaces, grant.workspaceId)?.domain,
    }),
  }
}

/**
 * Token revocation (RFC 7009). A refresh token revokes the grant, an access token only itself. Tokens of other clients are ignored, with the same
 * response.
 */
export function revoke(state: State, client: Client, form: TokenForm, record: RecordedTokenRequest): void {
  const token = form.get('token') ?? ''
  const [userId, grantId, ...rest] = token.split(':')
  const grant = userId && grantId && rest.length === 1 ? state.grants.find(userId, grantId) : undefined
  if (!grant) return
  record.grantId = grant.id
  const accessToken = state.grants.findAccessToken(token)
  const { status, generation } = state.grants.tokenStatus(grant, token)
  if (!accessToken) record.presented = { standing: status, generation }
  if (grant.clientId !== client.id) return
  if (accessToken) state.grants.revokeAccessToken(accessToken)
  else if (status === 'current' || status === 'previous') {
    state.grants.revoke(grant, 'revoked by the client')
    record.outcome = { grantRevoked: true }
  }
}

/**
 * Enterprise-managed authorization: exchanges an identity assertion (ID-JAG) of the company's identity provider for an access token, without a consent
 * page (RFC 7523).
 */
import { createPublicKey, verify } from 'node:crypto'
import { SECOND } from '../clock.ts'
import type { RecordedTokenRequest } from '../recorded-requests.ts'
import { mcpUrl, type State } from '../state.ts'
import { accounts } from '../workspace/workspace.ts'
import type { TokenForm } from './client-authentication.ts'
import type { AuthMethod, Client } from './clients.ts'
import type { IdentityProvider } from '../options.ts'
import { OAuthError } from './oauth-error.ts'
import { tokenResponse } from './token.ts'

const TYPE = 'oauth-id-jag+jwt'
const MAX_LIFE_SECONDS = 360
const CLOCK_SKEW_SECONDS = 60

type Claims = Record<string, unknown>

/**
 * `jwt-bearer`: issues an access token, without a refresh token, for the user of the assertion.
 *
 * @param applied `false`: the access token is invalid.
 * @throws {OAuthError} 401 for a public client; `invalid_grant` for every assertion when no identity provider is trusted.
 */
export function exchangeAssertion(
  state: State,
  { client, method }: { client: Client; method: AuthMethod },
  form: TokenForm,
  record: RecordedTokenRequest,
  applied: boolean,
): Record<string, unknown> {
  if (method === 'none') {
    throw new OAuthError('invalid_client', 'Enterprise-managed authorization requires client authentication', 401)
  }
  const assertion = form.get('assertion')
  if (assertion === undefined) throw new OAuthError('invalid_request', 'assertion is required')
  const provider = state.options.identityProvider
  const claims = provider && verifiedClaims(assertion, provider)
  const now = state.clock.now() / SECOND
  if (!claims || !areGood(claims, state, client, now)) throw new OAuthError('invalid_grant', 'Invalid assertion')
  const used = `${provider.issuer} ${String(claims['jti'])}`
  if (state.usedAssertions.has(used)) throw new OAuthError('invalid_grant', 'Invalid assertion')
  state.usedAssertions.add(used)

  const [account] = accounts(state.workspaces, String(claims['email'] ?? claims['sub']), provider.workspace)
  if (!account) throw new OAuthError('invalid_grant', 'Assertion was not authorized')
  const { grant } = state.grants.create({
    userId: account.user.id,
    workspaceId: account.workspace.id,
    clientId: client.id,
    scope: '',
    resources: [mcpUrl(state)],
    redirectUri: '',
  })
  grant.code.used = true
  record.grantId = grant.id
  const issued = applied ? state.grants.issue(grant, grant.resources) : state.grants.issueInvalid(grant)
  const { refresh_token: _, ...response } = tokenResponse(state, grant, grant.resources, issued, '', record)
  return response
}

/** Verifies the signature of an assertion and returns its claims. */
function verifiedClaims(assertion: string, { issuer, jwks }: IdentityProvider): Claims | undefined {
  const [header, payload, signature, ...rest] = assertion.split('.')
  if (!header || !payload || !signature || rest.length > 0) return undefined
  try {
    const { typ, alg, kid } = partOf(header)
    const claims = partOf(payload)
    const jwk = jwks.keys.find((key) => kid === undefined || key['kid'] === kid)
    if (typ !== TYPE || !['RS256', 'ES256'].includes(String(alg)) || claims['iss'] !== issuer || !jwk) return undefined
    const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const
    if ((alg === 'RS256') !== (key.key.asymmetricKeyType === 'rsa')) return undefined
    const signed = Buffer.from(`${header}.${payload}`)
    return verify('sha256', signed, key, Buffer.from(signature, 'base64url')) ? claims : undefined
  } catch {
    return undefined
  }
}

function partOf(text: string): Claims {
  return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Claims // Each member is unknown and is checked by its reader.
}

function areGood(claims: Claims, state: State, client: Client, now: number): boolean {
  const { aud, client_id, resource = mcpUrl(state), jti, sub, exp, iat } = claims
  const [audience] = [aud].flat()
  if (audience !== state.url || client_id !== client.id || resource !== mcpUrl(state)) return false
  if (typeof jti !== 'string' || typeof sub !== 'string' || typeof exp !== 'number' || typeof iat !== 'number')
    return false
  return exp > now - CLOCK_SKEW_SECONDS && iat < now + CLOCK_SKEW_SECONDS && exp - iat <= MAX_LIFE_SECONDS
}

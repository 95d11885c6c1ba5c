import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'

export interface OidcUser {
  readonly sub: string
  readonly email?: string
  readonly email_verified?: boolean
  readonly name?: string
}

export interface OidcProvider {
  readonly issuer: string
  readonly client: { readonly id: string; readonly secret: string }
  /** Why requests were refused. */
  readonly refusals: string[]
  /** Who consents from now on, at once and without a page; nobody declines. */
  become(user: OidcUser | undefined): void
  /** What differs in tokens from now on from what they should be. */
  lie(claims: Record<string, unknown>, key?: 'another'): void
  /** What differs in responses of UserInfo from now on. */
  lieInUserInfo(claims: Record<string, unknown>): void
  close(): Promise<void>
}

interface Grant {
  readonly user: OidcUser
  readonly redirectUri: string
  readonly challenge: string
  readonly nonce: string | undefined
}

/** An OpenID provider that takes nothing lightly: registered redirect, PKCE with S256, codes that work once, client authentication. */
export async function startOidcProvider(redirectUri: () => string, port = 0): Promise<OidcProvider> {
  const client = { id: 'nmg', secret: 'a-secret-of-the-client' }
  const keys = await generateKeyPair('RS256')
  const others = await generateKeyPair('RS256')
  const jwk: JWK = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  const codes = new Map<string, Grant>()
  const refusals: string[] = []
  let user: OidcUser | undefined
  let lies: Record<string, unknown> = {}
  let userInfoLies: Record<string, unknown> = {}
  let signer: CryptoKey = keys.privateKey

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`

  const json = (response: ServerResponse, status: number, body: unknown) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  const refuse = (response: ServerResponse, why: string) => {
    refusals.push(why)
    json(response, 400, { error: 'invalid_request', error_description: why })
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const url = new URL(request.url ?? '/', issuer)
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return json(response, 200, {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          userinfo_endpoint: `${issuer}/userinfo`,
          jwks_uri: `${issuer}/jwks`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
          token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
          code_challenge_methods_supported: ['S256'],
        })
      case '/jwks':
        return json(response, 200, { keys: [jwk] })
      case '/userinfo':
        return json(response, 200, { ...user, ...userInfoLies })
      case '/authorize':
        return authorize(url.searchParams, response)
      case '/token':
        return token(request, response)
      default:
        return json(response, 404, {})
    }
  }

  function authorize(query: URLSearchParams, response: ServerResponse): void {
    const get = (name: string) => query.get(name) ?? undefined
    if (get('client_id') !== client.id) return refuse(response, 'unknown client')
    if (get('redirect_uri') !== redirectUri()) return refuse(response, `unregistered redirect ${get('redirect_uri')}`)
    if (get('response_type') !== 'code') return refuse(response, 'response_type')
    if (get('code_challenge_method') !== 'S256' || !get('code_challenge')) return refuse(response, 'no PKCE')
    if (!get('scope')?.split(' ').includes('openid')) return refuse(response, 'no openid scope')
    if (!get('state')) return refuse(response, 'no state')
    const back = new URL(redirectUri())
    back.searchParams.set('state', get('state') ?? '')
    if (user) {
      const code = randomBytes(24).toString('base64url')
      codes.set(code, {
        user,
        redirectUri: redirectUri(),
        challenge: get('code_challenge') ?? '',
        nonce: get('nonce'),
      })
      back.searchParams.set('code', code)
    } else back.searchParams.set('error', 'access_denied')
    response.writeHead(302, { location: back.href }).end()
  }

  async function token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const form = new URLSearchParams(body)
    const [id, secret] = clientOf(request, form)
    if (id !== client.id || secret !== client.secret) return refuse(response, 'wrong client credentials')
    const code = form.get('code') ?? ''
    const grant = codes.get(code)
    // Whatever becomes of it, a code was shown once.
    codes.delete(code)
    if (form.get('grant_type') !== 'authorization_code' || !grant) return refuse(response, 'unknown code')
    if (form.get('redirect_uri') !== grant.redirectUri) return refuse(response, 'another redirect')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (challenge !== grant.challenge) return refuse(response, 'wrong verifier')
    const claims = { ...grant.user, ...(grant.nonce && { nonce: grant.nonce }), iss: issuer, aud: client.id, ...lies }
    const idToken = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(signer)
    json(response, 200, {
      access_token: randomBytes(24).toString('base64url'),
      token_type: 'Bearer',
      expires_in: 300,
      id_token: idToken,
    })
  }

  return {
    issuer,
    client,
    refusals,
    become: (next) => void (user = next),
    lie(claims, key) {
      lies = claims
      signer = key === 'another' ? others.privateKey : keys.privateKey
    },
    lieInUserInfo: (claims) => void (userInfoLies = claims),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function clientOf(request: IncomingMessage, form: URLSearchParams): [string, string] {
  const [, basic] = (request.headers.authorization ?? '').split('Basic ')
  if (!basic) return [form.get('client_id') ?? '', form.get('client_secret') ?? '']
  const [id = '', secret = ''] = Buffer.from(basic, 'base64').toString().split(':')
  return [decodeURIComponent(id), decodeURIComponent(secret)]
}

/** An authorization server for tests, reduced to what the gateway uses: metadata, public keys and signed tokens. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, SignJWT, type CryptoKey } from 'jose'

export interface TokenClaims {
  [name: string]: unknown
}

export interface TokenOptions {
  readonly header?: Record<string, unknown>
  /** Signing key to use instead of the issuer's own key. */
  readonly key?: CryptoKey | Uint8Array
}

export interface Issuer {
  /** The issuer identifier. */
  readonly url: string
  /** Paths of received requests. */
  readonly requests: string[]
  /** The public keys that are currently published. */
  readonly keys: JWK[]
  readonly privateKey: CryptoKey
  /** Signs a valid token for Ada, the space north and this resource. `claims` override its claims; undefined removes a claim. */
  token(resource: string, claims?: TokenClaims, options?: TokenOptions): Promise<string>
  /** Replaces the signing key. The old public key is removed unless `keepOld`. */
  rotate(options?: { keepOld: boolean }): Promise<void>
  /** Makes all responses have this status; undefined restores normal responses. */
  fail(status: number | undefined): void
  close(): Promise<void>
}

const ALGORITHM = 'ES256'

export async function startIssuer(path = '/api/auth'): Promise<Issuer> {
  const requests: string[] = []
  const keys: JWK[] = []
  let keyNumber = 0
  let failureStatus: number | undefined
  let pair = await generateKeyPair(ALGORITHM, { extractable: true })

  const publish = async () => {
    keys.push({ ...(await exportJWK(pair.publicKey)), kid: `key-${++keyNumber}`, alg: ALGORITHM, use: 'sig' })
  }
  await publish()

  const server = createServer((req, res) => {
    requests.push(req.url ?? '')
    const document =
      req.url === `/.well-known/oauth-authorization-server${path}`
        ? { issuer: url, jwks_uri: `${url}/jwks` }
        : req.url === `${path}/jwks`
          ? { keys }
          : undefined
    res.writeHead(failureStatus ?? (document ? 200 : 404), { 'content-type': 'application/json' })
    res.end(JSON.stringify(document ?? {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`

  return {
    url,
    requests,
    keys,
    get privateKey() {
      return pair.privateKey
    },
    token(resource, claims = {}, { header = {}, key = pair.privateKey } = {}) {
      const now = Math.floor(Date.now() / 1000)
      const payload: TokenClaims = {
        iss: url,
        sub: 'ada',
        aud: resource,
        client_id: 'client-1',
        scope: 'notion:read notion:write',
        space_id: 'north',
        iat: now - 30,
        exp: now + 600,
        jti: crypto.randomUUID(),
        ...claims,
      }
      for (const name of Object.keys(payload)) if (payload[name] === undefined) delete payload[name]
      return new SignJWT(payload)
        .setProtectedHeader({ alg: ALGORITHM, typ: 'at+jwt', kid: `key-${keyNumber}`, ...header } as never)
        .sign(key)
    },
    async rotate({ keepOld } = { keepOld: false }) {
      pair = await generateKeyPair(ALGORITHM, { extractable: true })
      if (!keepOld) keys.length = 0
      await publish()
    },
    fail(status) {
      failureStatus = status
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

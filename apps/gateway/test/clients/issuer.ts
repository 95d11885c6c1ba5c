/** An authorization server for tests, as far as the gateway sees one: metadata, keys, and the tokens that it signs. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, SignJWT, type CryptoKey } from 'jose'

export interface RefreshLocks {
  [name: string]: unknown
}

export interface TokenOptions {
  readonly header?: Record<string, unknown>
  /** Signs instead of the issuer's own key. */
  readonly key?: CryptoKey | Uint8Array
}

export interface Issuer {
  /** Its identifier. */
  readonly url: string
  /** Paths that were asked for. */
  readonly requests: string[]
  /** The public keys as they are published now. */
  readonly keys: JWK[]
  readonly privateKey: CryptoKey
  /** A good token for Ada and this resource in the space north, but for what `claims` say. Undefined leaves a claim out. */
  token(resource: string, claims?: RefreshLocks, options?: TokenOptions): Promise<string>
  /** Signs with a new key from now on; the old one is published no more, unless it is kept. */
  rotate(options?: { keepOld: boolean }): Promise<void>
  /** Answers everything with this status; undefined for as it should. */
  fail(status: number | undefined): void
  close(): Promise<void>
}

const ALGORITHM = 'ES256'

export async function startIssuer(path = '/api/auth'): Promise<Issuer> {
  const requests: string[] = []
  const keys: JWK[] = []
  let generation = 0
  let failure: number | undefined
  let pair = await generateKeyPair(ALGORITHM, { extractable: true })

  const publish = async () => {
    keys.push({ ...(await exportJWK(pair.publicKey)), kid: `key-${++generation}`, alg: ALGORITHM, use: 'sig' })
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
    res.writeHead(failure ?? (document ? 200 : 404), { 'content-type': 'application/json' })
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
      const all: RefreshLocks = {
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
      for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name]
      return new SignJWT(all)
        .setProtectedHeader({ alg: ALGORITHM, typ: 'at+jwt', kid: `key-${generation}`, ...header } as never)
        .sign(key)
    },
    async rotate({ keepOld } = { keepOld: false }) {
      pair = await generateKeyPair(ALGORITHM, { extractable: true })
      if (!keepOld) keys.length = 0
      await publish()
    },
    fail(status) {
      failure = status
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

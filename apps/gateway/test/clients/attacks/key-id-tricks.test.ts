/** The client controls the header of a token. It only selects one of the issuer's keys, and never a file, a query or a URL. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type InProcessGateway } from '../../support/gateway.ts'
import { call, clientFixture } from '../clients.ts'
import { startIssuer } from '../issuer.ts'

const on = clientFixture()

describe('the key id of a token', () => {
  it.each([
    '../../../../dev/null',
    '/dev/null',
    "' union select 'x",
    'key-1\0',
    'KEY-1',
    ' key-1',
    '__proto__',
    'constructor',
    '',
    'http://127.0.0.1/jwks',
    'x'.repeat(4000),
  ])('%j matches no key', async (kid) => {
    const { privateKey } = await generateKeyPair('ES256')
    expect((await call(await on.token('north', {}, { header: { kid }, key: privateKey }), on.endpoint())).status).toBe(
      401,
    )
  })

  it.each([[null], [7], [{}], [['key-1']], [true]])('%j is rejected', async (kid) => {
    const { privateKey } = await generateKeyPair('ES256')
    expect((await call(await on.token('north', {}, { header: { kid }, key: privateKey }), on.endpoint())).status).toBe(
      401,
    )
  })

  it('does not cause repeated requests for the keys of the issuer', async () => {
    await call(await on.token(), on.endpoint())
    const requestsBefore = on.issuer.requests.length
    for (let i = 0; i < 20; i++)
      await call(await on.token('north', {}, { header: { kid: `unknown-${i}` } }), on.endpoint())
    expect(on.issuer.requests.length - requestsBefore).toBeLessThanOrEqual(1)
  })
})

describe('a key in the header of the token', () => {
  it('as jwk is not used', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(publicKey)
    const token = await on.token('north', {}, { header: { jwk, kid: undefined }, key: privateKey })
    expect((await call(token, on.endpoint())).status).toBe(401)
  })

  it.each(['jku', 'x5u'])('at the URL in %s is not fetched', async (name) => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const keys = [{ ...(await exportJWK(publicKey)), kid: 'mine', alg: 'ES256' }]
    let isRequested = false
    const server = createServer((_, res) => {
      isRequested = true
      res.end(JSON.stringify({ keys }))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
    const token = await on.token('north', {}, { header: { [name]: url, kid: 'mine' }, key: privateKey })
    expect((await call(token, on.endpoint())).status).toBe(401)
    expect(isRequested).toBe(false)
    server.close()
  })

  it('with an unknown critical header parameter is rejected', async () => {
    const [, payload, signature] = (await on.token()).split('.')
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1', crit: ['x'], x: 1 }))
    expect((await call(`${header.toString('base64url')}.${payload}.${signature}`, on.endpoint())).status).toBe(401)
  })
})

describe('a key that the issuer removes', () => {
  let now = Date.now()
  let gateway: InProcessGateway
  beforeAll(async () => {
    gateway = await on.replica({ clock: () => new Date(now) })
  })
  afterAll(() => gateway.stop())

  const endpoint = () => on.endpoint('north', gateway)
  const token = () => on.issuer.token(on.resource(), { exp: now / 1000 + 3600 })
  const status = async (credential: string) => (await call(credential, endpoint())).status

  it('is rejected once a newer key is used, also for tokens in the cache', async () => {
    const old = await token()
    expect(await status(old)).toBe(200)
    await on.issuer.rotate()
    // The gateway refreshes the keys for an unknown key id at most once in 30 seconds.
    expect(await status(await token())).toBe(401)
    now += 31_000
    expect(await status(await token())).toBe(200)
    expect(await status(old)).toBe(401)
  })

  it('is rejected some minutes later, after a refresh in the background', async () => {
    const old = await token()
    expect(await status(old)).toBe(200)
    await on.issuer.rotate()
    now += 6 * 60_000
    await expect.poll(() => status(old)).toBe(401)
  })

  it('is rejected after a period without calls', async () => {
    await status(await token())
    const old = await token()
    await on.issuer.rotate()
    now += 11 * 60_000
    expect(await status(old)).toBe(401)
  })
})

describe('an unavailable issuer', () => {
  it('causes 503 with Retry-After, and no challenge to log in', async () => {
    const unavailable = await startIssuer()
    const gateway = await startGateway({
      mcpUrl: on.simulator.mcpUrl,
      databaseUrl: on.gateway.databaseUrl,
      env: { CLIENT_TOKEN_ISSUERS: JSON.stringify([{ issuer: unavailable.url }]) },
    })
    unavailable.fail(503)
    const endpoint = on.endpoint('north', gateway)
    const response = await call(await unavailable.token(endpoint.replace('127.0.0.1', 'localhost')), endpoint)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('5')
    expect(response.headers.get('www-authenticate')).toBeNull()
    expect(response.rpc.error?.data.reason).toBe('authorization_unavailable')
    await gateway.stop()
    await unavailable.close()
  })
})

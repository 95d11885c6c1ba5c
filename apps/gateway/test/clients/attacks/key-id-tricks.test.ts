/** The header of a token is the sender's text. It chooses among the issuer's keys and does nothing else: no file, no query, no address. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type InProcessGateway } from '../../support/gateway.ts'
import { call, scene } from '../clients.ts'
import { startIssuer } from '../issuer.ts'

const on = scene()

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
  ])('%j finds no key', async (kid) => {
    const { privateKey } = await generateKeyPair('ES256')
    expect((await call(await on.token('north', {}, { header: { kid }, key: privateKey }), on.endpoint())).status).toBe(
      401,
    )
  })

  it.each([[null], [7], [{}], [['key-1']], [true]])('%j is refused', async (kid) => {
    const { privateKey } = await generateKeyPair('ES256')
    expect((await call(await on.token('north', {}, { header: { kid }, key: privateKey }), on.endpoint())).status).toBe(
      401,
    )
  })

  it('does not make the gateway ask the issuer for its keys again and again', async () => {
    await call(await on.token(), on.endpoint())
    const asked = on.issuer.requests.length
    for (let i = 0; i < 20; i++)
      await call(await on.token('north', {}, { header: { kid: `unknown-${i}` } }), on.endpoint())
    expect(on.issuer.requests.length - asked).toBeLessThanOrEqual(1)
  })
})

describe('a key that the token brings along', () => {
  it('in its header is not used', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = await exportJWK(publicKey)
    const token = await on.token('north', {}, { header: { jwk, kid: undefined }, key: privateKey })
    expect((await call(token, on.endpoint())).status).toBe(401)
  })

  it.each(['jku', 'x5u'])('at the address in %s is not fetched', async (name) => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const keys = [{ ...(await exportJWK(publicKey)), kid: 'mine', alg: 'ES256' }]
    let isAsked = false
    const server = createServer((_, res) => {
      isAsked = true
      res.end(JSON.stringify({ keys }))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
    const token = await on.token('north', {}, { header: { [name]: address, kid: 'mine' }, key: privateKey })
    expect((await call(token, on.endpoint())).status).toBe(401)
    expect(isAsked).toBe(false)
    server.close()
  })

  it('with a header that must be understood, and is not, is refused', async () => {
    const [, payload, signature] = (await on.token()).split('.')
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid: 'key-1', crit: ['x'], x: 1 }))
    expect((await call(`${header.toString('base64url')}.${payload}.${signature}`, on.endpoint())).status).toBe(401)
  })
})

describe('a key that the issuer takes back', () => {
  let now = Date.now()
  let gateway: InProcessGateway
  beforeAll(async () => {
    gateway = await on.replica({ clock: () => new Date(now) })
  })
  afterAll(() => gateway.stop())

  const endpoint = () => on.endpoint('north', gateway)
  const token = () => on.issuer.token(on.resource(), { exp: now / 1000 + 3600 })
  const status = async (credential: string) => (await call(credential, endpoint())).status

  it('opens nothing any more as soon as a newer one is seen, also for a token that is in memory', async () => {
    const old = await token()
    expect(await status(old)).toBe(200)
    await on.issuer.rotate()
    // The gateway looks for an unknown key once in half a minute.
    expect(await status(await token())).toBe(401)
    now += 31_000
    expect(await status(await token())).toBe(200)
    expect(await status(old)).toBe(401)
  })

  it('opens nothing any more some minutes later, and no call waits for the issuer', async () => {
    const old = await token()
    expect(await status(old)).toBe(200)
    await on.issuer.rotate()
    now += 6 * 60_000
    await expect.poll(() => status(old)).toBe(401)
  })

  it('opens nothing after a time in which nobody called', async () => {
    await status(await token())
    const forged = await token()
    await on.issuer.rotate()
    now += 11 * 60_000
    expect(await status(forged)).toBe(401)
  })
})

describe('an issuer that does not answer', () => {
  it('is a reason to try again later, not to log in', async () => {
    const away = await startIssuer()
    const gateway = await startGateway({
      mcpUrl: on.simulator.mcpUrl,
      databaseUrl: on.gateway.databaseUrl,
      env: { CLIENT_TOKEN_ISSUERS: JSON.stringify([{ issuer: away.url }]) },
    })
    away.fail(503)
    const endpoint = on.endpoint('north', gateway)
    const answer = await call(await away.token(endpoint.replace('127.0.0.1', 'localhost')), endpoint)
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('5')
    expect(answer.headers.get('www-authenticate')).toBeNull()
    expect(answer.rpc.error?.data.reason).toBe('authorization_unavailable')
    await gateway.stop()
    await away.close()
  })
})

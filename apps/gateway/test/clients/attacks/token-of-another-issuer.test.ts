/** Only configured issuers are trusted, each with its own keys. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type InProcessGateway } from '../../support/gateway.ts'
import { call, clientFixture } from '../clients.ts'
import { type Issuer, startIssuer } from '../issuer.ts'

const on = clientFixture()
let other: Issuer
let company: Issuer
let gateway: InProcessGateway

beforeAll(async () => {
  other = await startIssuer()
  company = await startIssuer('')
  gateway = await startGateway({
    mcpUrl: on.simulator.mcpUrl,
    databaseUrl: on.gateway.databaseUrl,
    env: {
      CLIENT_TOKEN_ISSUERS: JSON.stringify([
        { issuer: on.issuer.url },
        {
          issuer: company.url,
          jwksUri: `${company.url}/jwks`,
          audience: 'api://notion',
          type: 'JWT',
          spaceClaim: 'groups',
          userClaim: 'email',
          scopeClaim: 'scp',
        },
      ]),
    },
  })
})
afterAll(async () => {
  await gateway.stop()
  await other.close()
  await company.close()
})

describe('a token of an unknown issuer', () => {
  it('is rejected without a request to the issuer', async () => {
    const response = await call(await other.token(on.resource()), on.endpoint())
    expect(response.status).toBe(401)
    expect(other.requests).toEqual([])
  })

  it('is rejected if it names a trusted issuer', async () => {
    const token = await other.token(on.resource(), { iss: on.issuer.url })
    expect((await call(token, on.endpoint())).status).toBe(401)
  })

  it.each(['/', '/jwks', '?x', '#x'])('is rejected if its issuer is a trusted one followed by %s', async (more) => {
    const token = await on.token('north', { iss: on.issuer.url + more })
    expect((await call(token, on.endpoint())).status).toBe(401)
  })

  it('is rejected if it names no issuer, or two', async () => {
    for (const iss of [undefined, [on.issuer.url, other.url]]) {
      expect((await call(await on.token('north', { iss }), on.endpoint())).status).toBe(401)
    }
  })
})

describe('a trusted identity provider of a company', () => {
  const endpoint = () => on.endpoint('north', gateway)
  const claims = {
    sub: undefined,
    email: 'ada',
    groups: ['north', 'staff'],
    scp: ['notion:read', 'x'],
    aud: 'api://notion',
  }
  const header = { typ: 'JWT' }

  it('uses its own claims for user, spaces and scopes', async () => {
    const token = await company.token('', claims, { header })
    expect((await call(token, endpoint())).status).toBe(200)
    expect((await call(token, on.endpoint('south', gateway))).rpc.error?.data.reason).toBe('forbidden_space')
  })

  it.each([
    ['with the claims of another issuer', { ...claims, email: undefined, sub: 'ada' }, header],
    ['for the endpoint instead of the configured audience', { ...claims, aud: 'http://localhost/mcp' }, header],
    ['of another type', claims, { typ: 'id+jwt' }],
    ['of no type', claims, { typ: undefined }],
  ])('is not accepted as issuer of a token %s', async (_, wrong, type) => {
    expect((await call(await company.token('', wrong, { header: type }), endpoint())).status).toBe(401)
  })

  it('is not accepted with the keys of another trusted issuer', async () => {
    const token = await company.token('', claims, { header: { ...header, kid: 'key-1' }, key: on.issuer.privateKey })
    expect((await call(token, endpoint())).status).toBe(401)
  })
})

import { describe, expect, it } from 'vitest'
import { MINUTE, SECOND } from '../src/clock.ts'
import type { Simulator } from '../src/index.ts'
import { connect, INITIALIZE, postMcp, simulator, use } from './client.ts'

/** The parts of a 401 that are visible to a client. */
async function challenge(response: Response) {
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    cache: response.headers.get('cache-control'),
    challenge: response.headers.get('www-authenticate'),
    body: await response.text(),
  }
}

const refused = (notion: Simulator, description: string, inHeader?: string) => ({
  status: 401,
  type: 'application/json',
  cache: 'no-store',
  challenge:
    `Bearer realm="OAuth", resource_metadata="${notion.url}/.well-known/oauth-protected-resource/mcp", error="invalid_token"` +
    (inHeader ? `, error_description="${inHeader}"` : ''),
  body: JSON.stringify({ error: 'invalid_token', error_description: description }),
})

describe('a request without credentials', () => {
  it.each(['GET', 'POST', 'DELETE', 'PUT'])('(%s) gets the response that was observed', async (method) => {
    const notion = await simulator()
    const response = await fetch(notion.mcpUrl, { method })
    const description = 'Missing or invalid access token'
    expect(response.headers.get('pragma')).toBe('no-cache')
    expect(await challenge(response)).toEqual(refused(notion, description, description))
  })

  it('gets a bare challenge from the newer upstream library', async () => {
    const notion = await simulator({ profile: 'wop-0.10' })
    const response = await challenge(await fetch(notion.mcpUrl, { method: 'POST' }))
    expect(response).toMatchObject({
      status: 401,
      type: null,
      challenge: `Bearer realm="OAuth", resource_metadata="${notion.url}/.well-known/oauth-protected-resource/mcp"`,
      body: '',
    })
  })

  it('includes one with another scheme, or with bearer in lower case', async () => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    for (const authorization of ['Basic YTpi', `bearer ${tokens.access_token}`]) {
      const response = await fetch(notion.mcpUrl, { method: 'POST', headers: { authorization } })
      expect(await response.json()).toMatchObject({ error_description: 'Missing or invalid access token' })
    }
  })
})

describe('an access token', () => {
  it('that is unknown is refused, even for initialize', async () => {
    const notion = await simulator()
    expect(await challenge(await postMcp(notion, 'a:b:c', INITIALIZE))).toEqual(refused(notion, 'Invalid access token'))
  })

  it('expires after expires_in; a minute later its error is that of a revoked token', async () => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    notion.advance(tokens.expires_in * SECOND - 1)
    expect((await postMcp(notion, tokens.access_token, INITIALIZE)).status).toBe(200)
    notion.advance(1)
    expect(await challenge(await postMcp(notion, tokens.access_token, INITIALIZE))).toEqual(
      refused(notion, 'Access token expired'),
    )
    notion.advance(MINUTE)
    expect(await challenge(await postMcp(notion, tokens.access_token, INITIALIZE))).toEqual(
      refused(notion, 'Invalid access token'),
    )
  })

  it('can be expired by an administrator', async () => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    expect(notion.admin.expireAccessTokens()).toBe(1)
    expect((await postMcp(notion, tokens.access_token, INITIALIZE)).status).toBe(401)
    expect(notion.admin.grants()).toMatchObject([{ status: 'active' }])
  })

  it('for the bare origin is refused, unless originAudience accepts it', async () => {
    const notion = await simulator({ options: { foreignResources: 'accepted' } })
    const { tokens } = await connect(notion, {}, undefined, { resource: notion.url })
    expect(await challenge(await postMcp(notion, tokens.access_token, INITIALIZE))).toEqual(
      refused(notion, 'Token audience does not match resource server', 'Invalid audience'),
    )
    notion.options.originAudience = 'accepted'
    expect((await postMcp(notion, tokens.access_token, INITIALIZE)).status).toBe(200)
  })

  it('for another server is refused, and one without a resource is accepted', async () => {
    const notion = await simulator({ options: { foreignResources: 'accepted' } })
    const other = await connect(notion, {}, undefined, { resource: 'https://other.test/mcp' })
    expect((await postMcp(notion, other.tokens.access_token, INITIALIZE)).status).toBe(401)
    const unbound = await connect(notion, {}, undefined, { resource: null })
    expect((await postMcp(notion, unbound.tokens.access_token, INITIALIZE)).status).toBe(200)
  })

  it('is not recorded, only its owner', async () => {
    const notion = await simulator()
    const { tokens } = await connect(notion)
    await postMcp(notion, tokens.access_token, INITIALIZE)
    await postMcp(notion, 'service-token', INITIALIZE)
    const [good, unknown] = notion.recorded.mcpRequests
    const { grantId, userId, workspaceId } = notion.admin.grants()[0] ?? {}
    expect(good?.credential).toEqual({
      kind: 'access_token',
      grantId,
      generation: 0,
      userId,
      workspaceId,
      standing: 'valid',
    })
    expect(good?.headers['authorization']).toBe(`<access token 0 of grant ${grantId}, valid>`)
    expect(unknown?.credential).toEqual({ kind: 'unknown' })
    expect(JSON.stringify(notion.recorded.mcpRequests)).not.toContain('service-token')
  })
})

describe('a personal access token', () => {
  it('acts for its owner without OAuth', async () => {
    const notion = await simulator()
    const token = notion.admin.issuePersonalAccessToken('cleo', 'Northwind')
    expect(token).toMatch(/^ntn_/)
    expect(await use(notion, token, 'fetch', { id: 'self' })).toMatchObject({
      self: { workspace: { name: 'Northwind' }, user: { email: 'cleo@northwind.test' } },
    })
    expect(() => notion.admin.issuePersonalAccessToken('ben', 'Northwind')).toThrow('not a member')
  })
})

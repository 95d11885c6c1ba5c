import { describe, expect, it } from 'vitest'
import { simulator } from './client.ts'

const json = async (url: string) => (await fetch(url)).json() as Promise<Record<string, unknown>>

describe('discovery', () => {
  it('returns the authorization server metadata as captured, in the same order', async () => {
    const { url } = await simulator()
    const response = await fetch(`${url}/.well-known/oauth-authorization-server`)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.text()).toBe(
      JSON.stringify({
        issuer: url,
        authorization_endpoint: `${url}/authorize`,
        token_endpoint: `${url}/token`,
        registration_endpoint: `${url}/register`,
        scopes_supported: ['default'],
        response_types_supported: ['code'],
        response_modes_supported: ['query'],
        grant_types_supported: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
        authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
        revocation_endpoint: `${url}/token`,
        code_challenge_methods_supported: ['plain', 'S256'],
        client_id_metadata_document_supported: true,
        introspection_endpoint: `${url}/introspect`,
        introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
      }),
    )
  })

  it('has the bare origin in the root document, and the endpoint in the document for its path', async () => {
    const { url } = await simulator()
    const common = {
      authorization_servers: [url],
      scopes_supported: ['default'],
      bearer_methods_supported: ['header'],
      resource_name: 'Notion MCP (Beta)',
    }
    const path = '/.well-known/oauth-protected-resource'
    expect(await json(`${url}${path}`)).toEqual({ resource: url, ...common })
    expect(await json(`${url}${path}/mcp`)).toEqual({ resource: `${url}/mcp`, ...common })
  })

  it('had no revocation, introspection or metadata documents in January 2026', async () => {
    const { url } = await simulator({ profile: 'notion-2026-01' })
    const metadata = await json(`${url}/.well-known/oauth-authorization-server`)
    expect(metadata['grant_types_supported']).toEqual(['authorization_code', 'refresh_token'])
    for (const name of ['revocation_endpoint', 'introspection_endpoint', 'client_id_metadata_document_supported']) {
      expect(metadata).not.toHaveProperty(name)
    }
  })

  it('announces only S256, and iss, in the profile of the newer upstream library', async () => {
    const { url } = await simulator({ profile: 'wop-0.10' })
    const metadata = await json(`${url}/.well-known/oauth-authorization-server`)
    expect(metadata['code_challenge_methods_supported']).toEqual(['S256'])
    expect(metadata['authorization_response_iss_parameter_supported']).toBe(true)
  })

  it('omits, changes, delays and pads members with the option metadata', async () => {
    const notion = await simulator()
    const path = `${notion.url}/.well-known/oauth-authorization-server`
    notion.setOptions({
      metadata: {
        codeChallengeMethods: null,
        revocationEndpoint: false,
        issuer: 'https://elsewhere.test',
        paddingBytes: 70_000,
      },
    })
    const metadata = await json(path)
    expect(metadata).not.toHaveProperty('code_challenge_methods_supported')
    expect(metadata).not.toHaveProperty('revocation_endpoint')
    expect(metadata['issuer']).toBe('https://elsewhere.test')
    expect(String(metadata['x_padding'])).toHaveLength(70_000)
    expect(metadata['token_endpoint']).toBe(`${notion.url}/token`)

    notion.setOptions({ metadata: { delayMs: 60_000 } })
    await expect(fetch(path, { signal: AbortSignal.timeout(100) })).rejects.toThrow(/timeout/i)
  })

  it('can have only one of the two protected resource documents', async () => {
    const notion = await simulator()
    const statuses = async () => {
      const paths = ['', '/mcp'].map((suffix) => `${notion.url}/.well-known/oauth-protected-resource${suffix}`)
      return Promise.all(paths.map(async (path) => (await fetch(path)).status))
    }
    expect(await statuses()).toEqual([200, 200])
    notion.options.protectedResourceMetadata = 'root'
    expect(await statuses()).toEqual([200, 404])
    notion.options.protectedResourceMetadata = 'suffixed'
    expect(await statuses()).toEqual([404, 200])
  })

  it('allows every origin, and records requests', async () => {
    const notion = await simulator()
    const path = '/.well-known/oauth-authorization-server'
    const response = await fetch(`${notion.url}${path}`, { headers: { origin: 'https://app.test' } })
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.test')
    expect(response.headers.get('access-control-allow-headers')).toBe('Authorization, *')
    expect(response.headers.get('access-control-max-age')).toBe('86400')
    const preflight = await fetch(`${notion.url}/token`, { method: 'OPTIONS', headers: { origin: 'https://app.test' } })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://app.test')
    expect(notion.recorded.discoveries.map((seen) => seen.path)).toEqual([path])
  })

  it('in a browser shows the address of the endpoint', async () => {
    const { url, mcpUrl } = await simulator()
    const response = await fetch(url)
    expect(response.headers.get('content-type')).toContain('text/html')
    expect(await response.text()).toContain(mcpUrl)
  })

  it('returns the unofficial document with the endpoint', async () => {
    const { url, mcpUrl } = await simulator()
    expect(await json(`${url}/.well-known/mcp.json`)).toMatchObject({ name: 'Notion', endpoint: mcpUrl })
  })
})

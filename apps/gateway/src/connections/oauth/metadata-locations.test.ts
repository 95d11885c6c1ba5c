import { describe, expect, it } from 'vitest'
import { issuerMetadataLocations, resourceMetadataLocations } from './metadata-locations.ts'

const hrefs = (locations: readonly { url: URL }[]) => locations.map(({ url }) => url.href)

describe('protected resource metadata', () => {
  const resource = 'https://mcp.test/.well-known/oauth-protected-resource'

  it.each([
    ['https://mcp.test', undefined, [resource]],
    ['https://mcp.test/mcp', undefined, [`${resource}/mcp`, resource]],
    ['https://mcp.test/a/b?c=d#e', undefined, [`${resource}/a/b`, resource]],
    ['https://mcp.test/mcp/', undefined, [`${resource}/mcp/`, resource]],
    ['https://mcp.test//evil.test/mcp', undefined, [`${resource}//evil.test/mcp`, resource]],
    ['https://mcp.test/mcp', 'https://mcp.test/named', ['https://mcp.test/named', `${resource}/mcp`, resource]],
    ['https://mcp.test/mcp', `${resource}/mcp`, [`${resource}/mcp`, resource]],
    ['https://mcp.test/mcp', resource, [resource, `${resource}/mcp`]],
    ['https://mcp.test', 'https://meta.test/x', ['https://meta.test/x', resource]],
  ])('of %s, with %s in the challenge, is tried at these locations in order', (mcpServer, named, expected) => {
    expect(hrefs(resourceMetadataLocations(new URL(mcpServer), named ? new URL(named) : undefined))).toEqual(expected)
  })

  it('appears in errors without the path from the challenge', () => {
    const named = new URL('https://meta.test/call-0900-now')
    const [first] = resourceMetadataLocations(new URL('https://mcp.test/mcp'), named)
    expect(first?.name).toBe('the resource_metadata of the challenge, at https://meta.test')
  })
})

describe('authorization server metadata', () => {
  const [oauth, openid] = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']

  it.each([
    ['https://as.test', [oauth, openid]],
    ['https://as.test/', [oauth, openid]],
    ['https://as.test/tenant', [`${oauth}/tenant`, `${openid}/tenant`, `/tenant${openid}`]],
    ['https://as.test/tenant/', [`${oauth}/tenant`, `${openid}/tenant`, `/tenant${openid}`]],
    ['https://as.test/a/b', [`${oauth}/a/b`, `${openid}/a/b`, `/a/b${openid}`]],
    ['https://as.test//evil.test', [`${oauth}//evil.test`, `${openid}//evil.test`, `//evil.test${openid}`]],
    ['https://as.test/tenant?a=b#c', [`${oauth}/tenant`, `${openid}/tenant`, `/tenant${openid}`]],
  ])('of %s is tried at its own host in order', (issuer, paths) => {
    expect(hrefs(issuerMetadataLocations(new URL(issuer)))).toEqual(paths.map((path) => `https://as.test${path}`))
  })

  it('appears in errors without the path of the issuer', () => {
    for (const { name } of issuerMetadataLocations(new URL('https://as.test/call-0900-now'))) {
      expect(name).toMatch(/^https:\/\/as\.test\/(…\/)?\.well-known\//)
      expect(name).not.toContain('0900')
    }
  })
})

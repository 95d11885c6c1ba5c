import { StartupError } from '@nmg/process'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { SERVICE_TOKEN } from '../support/gateway.ts'

const secrets = { GATEWAY_SERVICE_TOKEN: SERVICE_TOKEN, CREDENTIAL_KEYS: `k:${Buffer.alloc(32, 7).toString('base64')}` }
const config = (env: Record<string, string>) => readConfig({ ...secrets, ...env }, () => '')

describe('client settings', () => {
  it('default to the web app as the issuer and to the port in the public URL', () => {
    const { publicUrl, tokenIssuers, MCP_ALLOWED_ORIGINS } = config({ PORT: '8123' })
    expect(publicUrl.href).toBe('http://localhost:8123/')
    expect(tokenIssuers).toEqual([
      {
        issuer: 'http://localhost:3000/api/auth',
        type: 'at+jwt',
        spaceClaim: 'space_id',
        userClaim: 'sub',
        scopeClaim: 'scope',
      },
    ])
    expect(MCP_ALLOWED_ORIGINS).toEqual([])
  })

  it('take the default issuer from NOTION_MCP_RETURN_BASE_URL', () => {
    const { tokenIssuers } = config({ NOTION_MCP_RETURN_BASE_URL: 'https://app.example/' })
    expect(tokenIssuers[0]?.issuer).toBe('https://app.example/api/auth')
  })

  it('accept an empty list of issuers', () => {
    expect(config({ CLIENT_TOKEN_ISSUERS: '[]' }).tokenIssuers).toEqual([])
  })

  it('accept lists with or without spaces', () => {
    const { MCP_ALLOWED_ORIGINS, MCP_ALLOWED_HOSTS } = config({
      MCP_ALLOWED_ORIGINS: 'https://a.example, https://b.example:8443',
      MCP_ALLOWED_HOSTS: 'one,two , ',
    })
    expect(MCP_ALLOWED_ORIGINS.map(({ origin }) => origin)).toEqual(['https://a.example', 'https://b.example:8443'])
    expect(MCP_ALLOWED_HOSTS).toEqual(['one', 'two'])
  })

  it.each([
    ['CLIENT_TOKEN_ISSUERS', '{'],
    ['CLIENT_TOKEN_ISSUERS', '{"issuer":"https://a.example"}'],
    ['CLIENT_TOKEN_ISSUERS', '["https://a.example"]'],
    ['CLIENT_TOKEN_ISSUERS', '[{"issuer":"a"}]'],
    ['CLIENT_TOKEN_ISSUERS', '[{"issuer":"https://a.example","jwks_uri":"https://a.example/keys"}]'],
    ['CLIENT_TOKEN_ISSUERS', '[{"issuer":"https://a.example"},{"issuer":"https://a.example"}]'],
    ['GATEWAY_PUBLIC_URL', 'gateway.example'],
    ['GATEWAY_PUBLIC_URL', 'https://gateway.example/path'],
    ['MCP_ALLOWED_ORIGINS', '*'],
    ['MCP_ALLOWED_ORIGINS', 'https://a.example/page'],
    ['CLIENT_REQUESTS_PER_MINUTE', '0'],
    ['CLIENT_MAX_BODY_BYTES', '10'],
  ])('fail at startup when %s is %s', (name, value) => {
    expect(() => config({ [name]: value })).toThrow(StartupError)
    expect(() => config({ [name]: value })).toThrow(new RegExp(`^${name}`))
  })
})

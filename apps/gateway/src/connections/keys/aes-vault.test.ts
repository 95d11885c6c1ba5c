import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { DEFAULT_RETURN_PATH } from '../return-path.ts'
import type { Credential } from '../credential.ts'
import { Secret } from '../../platform/secret.ts'
import { aesVault, type CredentialKey } from './aes-vault.ts'

const key = (kid: string): CredentialKey => ({ kid, key: randomBytes(32) })
const [first, second] = [key('first'), key('second')]
const vault = aesVault([first])
const credential: Credential = {
  accessToken: new Secret('the access token'),
  refreshToken: new Secret('the refresh token'),
  client: { clientId: 'client', clientSecret: new Secret('the client secret'), authMethod: 'client_secret_basic' },
}
const NORTH = '11111111-1111-5111-8111-111111111111'
const SOUTH = '22222222-2222-5222-8222-222222222222'
const grant = {
  issuer: 'https://notion.example',
  tokenEndpoint: 'https://notion.example/token',
  revocationEndpoint: 'https://notion.example/token',
  resource: 'https://notion.example/mcp',
}
const at = (generation: number, stream = NORTH) => ({ stream, generation, grant })
const unreadable = expect.objectContaining({ code: 'sealed_value_unreadable' })

describe('a sealed credential', () => {
  const dataKey = vault.newDataKey(NORTH)
  const sealed = vault.seal(dataKey, at(3), credential)

  it('opens for its stream and generation and reveals nothing while sealed', () => {
    const opened = vault.open(dataKey, at(3), sealed)
    expect(opened.refreshToken?.reveal()).toBe('the refresh token')
    expect(opened.client.clientSecret?.reveal()).toBe('the client secret')
    expect(Buffer.from(sealed, 'base64').toString('latin1')).not.toContain('token')
    expect(JSON.stringify(opened)).not.toContain('the ')
  })

  it('has a different ciphertext each time', () => {
    expect(vault.seal(dataKey, at(3), credential)).not.toBe(sealed)
  })

  it('does not open for another stream or generation', () => {
    expect(() => vault.open(dataKey, at(4), sealed)).toThrow(unreadable)
    expect(() => vault.open(dataKey, at(3, SOUTH), sealed)).toThrow(unreadable)
    expect(() => vault.open(vault.newDataKey(NORTH), at(3), sealed)).toThrow(unreadable)
  })

  it.each(['issuer', 'tokenEndpoint', 'revocationEndpoint', 'resource'] as const)(
    'does not open when the %s of its grant is another: its tokens would be sent there',
    (member) => {
      const elsewhere = { ...at(3), grant: { ...grant, [member]: 'https://evil.example/token' } }
      expect(() => vault.open(dataKey, elsewhere, sealed)).toThrow(unreadable)
    },
  )

  it('does not open after a single bit was changed or its end was cut off', () => {
    const bytes = Buffer.from(sealed, 'base64')
    for (const position of [0, 12, bytes.length - 1]) {
      const changed = Buffer.from(bytes)
      changed[position] = (changed[position] as number) ^ 1
      expect(() => vault.open(dataKey, at(3), changed.toString('base64'))).toThrow(unreadable)
    }
    for (const length of [0, 10, 28, bytes.length - 1]) {
      expect(() => vault.open(dataKey, at(3), bytes.subarray(0, length).toString('base64'))).toThrow(unreadable)
    }
  })

  it('does not open without its key or with a different key of that name, and the error names the key', () => {
    expect(() => aesVault([second]).open(dataKey, at(3), sealed)).toThrow(/key "first"/)
    expect(() => aesVault([key('first')]).open(dataKey, at(3), sealed)).toThrow(unreadable)
  })
})

describe('a sealed credential without an access token', () => {
  it('opens without one', () => {
    const dataKey = vault.newDataKey(NORTH)
    const sealed = vault.seal(dataKey, at(1), { ...credential, accessToken: null })
    expect(vault.open(dataKey, at(1), sealed).accessToken).toBeNull()
  })
})

describe('a data key', () => {
  it('opens with the old key among several, and only needs the new one after it was rewrapped', () => {
    const dataKey = vault.newDataKey(NORTH)
    const sealed = vault.seal(dataKey, at(1), credential)
    const rotated = aesVault([second, first])
    expect(rotated.open(dataKey, at(1), sealed).accessToken?.reveal()).toBe('the access token')

    const rewrapped = rotated.rewrap(NORTH, dataKey)
    expect(rewrapped).toMatchObject({ id: dataKey.id, kid: 'second' })
    expect(aesVault([second]).open(rewrapped, at(1), sealed).accessToken?.reveal()).toBe('the access token')
  })

  it('does not open in the row of another stream', () => {
    const dataKey = vault.newDataKey(NORTH)
    expect(() => vault.rewrap(SOUTH, dataKey)).toThrow(unreadable)
  })
})

describe('a sealed authorization request', () => {
  const request = {
    spaceId: 'north',
    userId: 'ada',
    returnPath: DEFAULT_RETURN_PATH,
    codeVerifier: new Secret('the verifier'),
    bindingHash: null,
    confirmsWorkspace: false,
    client: credential.client,
    server: {
      issuer: 'https://notion.example',
      authorizationEndpoint: 'https://notion.example/authorize',
      tokenEndpoint: 'https://notion.example/token',
      registrationEndpoint: null,
      revocationEndpoint: null,
      promisesIssuer: false,
      scope: null,
      takesMetadataDocuments: false,
      tokenEndpointAuthMethods: ['none'],
      resource: null,
    },
  }

  it('opens under its own state only', () => {
    const sealed = vault.sealRequest('state', request)
    expect(sealed).not.toContain('the verifier')
    expect(vault.openRequest('state', sealed).codeVerifier.reveal()).toBe('the verifier')
    expect(() => vault.openRequest('other', sealed)).toThrow(unreadable)
  })

  it('of an earlier release without a newer member opens', () => {
    const { tokenEndpointAuthMethods: _, ...server } = request.server
    const sealed = vault.sealRequest('state', { ...request, server: server as typeof request.server })
    expect(vault.openRequest('state', sealed).server).toEqual({ ...server, tokenEndpointAuthMethods: null })
  })
})

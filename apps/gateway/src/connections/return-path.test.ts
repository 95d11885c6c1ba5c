import { describe, expect, it } from 'vitest'
import { DEFAULT_RETURN_PATH, parseReturnPath, returnUrl } from './return-path.ts'

const base = new URL('https://app.example.com')

describe('a return path', () => {
  it.each(['/', '/settings', '/settings?tab=notion', '/a/b#c', '/integrations/notion/callback', '/%5Cevil.example'])(
    'is accepted as %j, which stays on the origin of the application',
    (text) => {
      const path = parseReturnPath(text, base)
      expect(path).toBeDefined()
      expect(new URL(path as string, base).origin).toBe(base.origin)
    },
  )

  it.each([
    'https://evil.example/',
    'HTTPS://evil.example',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    ' //evil.example',
    '/.//evil.example',
    '/..//evil.example',
    'https:evil.example',
    'javascript:alert(1)',
    'evil.example',
    '@evil.example',
    '',
    '/a\u0000b',
    `/${'a'.repeat(3000)}`,
  ])('is rejected as %j, which could lead to another origin', (text) => {
    expect(parseReturnPath(text, base)).toBeUndefined()
  })

  it('gets the parameters appended to its own query', () => {
    const path = parseReturnPath('/settings?tab=notion', base) ?? DEFAULT_RETURN_PATH
    const url = returnUrl(base, path, { status: 'error', error: 'access_denied', workspaceId: undefined })
    expect(url.href).toBe('https://app.example.com/settings?tab=notion&status=error&error=access_denied')
  })
})

import { describe, expect, it } from 'vitest'
import { returnPath } from '@/lib/return-path.ts'

describe('the return path after sign-in', () => {
  it.each(['/', '/spaces/7?tab=all', '/oauth/consent?sig=a%2Fb', '/a//b'])('may be %s', (path) => {
    expect(returnPath(path)).toBe(path)
  })

  it.each([
    'https://evil.test/',
    '//evil.test/',
    '/\\evil.test',
    '/\t/evil.test',
    '/.//evil.test',
    '/a/..//evil.test',
    '/%2e//evil.test/x?y=1',
    '/./\\evil.test',
    'javascript:alert(1)',
    'spaces/7',
    '',
    null,
  ])('is the front page instead of %j', (path) => {
    expect(returnPath(path)).toBe('/')
  })
})

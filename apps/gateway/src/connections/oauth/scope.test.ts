import { describe, expect, it } from 'vitest'
import { subtractScopes, challengeParameter, missingScopes, joinScopes, mergeScopes } from './scope.ts'

describe('a challenge', () => {
  it.each([
    ['Bearer error="insufficient_scope", scope="a b"', 'a b'],
    ['Bearer realm="x", scope="b a b", error=insufficient_scope', 'b a'],
    ['Bearer ERROR = "insufficient_scope" , Scope = a', 'a'],
    ['Basic realm="x", Bearer error="insufficient_scope", scope="a"', 'a'],
    ['Bearer error="insufficient_scope", scope="a\\"b c"', 'c'],
    ['Bearer error="insufficient_scope", scope="a,b"', 'a b'],
    ['Bearer error="insufficient_scope", scope="a, b ,,c"', 'a b c'],
    ['Bearer error="insufficient_scope", scope=","', null],
    ['Bearer error="invalid_token", scope="a"', null],
    ['Bearer error="insufficient_scope"', null],
    ['Bearer error="insufficient_scope", scope=""', null],
    ['Bearer realm="see error=insufficient_scope scope=evil", error="invalid_token"', null],
    ['Bearer realm="see \\" error=insufficient_scope scope=evil", error="invalid_token"', null],
    ['', null],
  ])('%s lacks %s', (challenge, scope) => {
    expect(missingScopes(challenge)).toBe(scope)
  })

  it('is parsed in linear time', () => {
    for (const part of ['a', 'a ', 'a=', 'a="', 'a ="\\', ' ', '="']) {
      const begun = performance.now()
      challengeParameter(part.repeat(100_000), 'scope')
      expect(performance.now() - begun).toBeLessThan(2_000)
    }
  })
})

describe('scopes', () => {
  it('are merged in order of appearance up to the maximum length', () => {
    expect(mergeScopes('a b', null, 'b c', '')).toBe('a b c')
    expect(mergeScopes(null, null)).toBeNull()
    expect(mergeScopes('a', 'x'.repeat(5_000), 'b')).toBe('a b')
    expect(joinScopes(Array.from({ length: 2_000 }, (_, n) => `name${n}`))?.length).toBeLessThanOrEqual(4_000)
  })

  it.each([
    [['a b', 'c'], 'a b c'],
    [['a,b', 'c'], 'a b c'],
    [['a, b', 'b,a'], 'a b'],
    [['a\tb\nc'], 'a b c'],
    [[' a ', ',', '', ' '], 'a'],
    [['read:page,write:page https://as.test/scope'], 'read:page write:page https://as.test/scope'],
    [['ä,b"c,d'], 'd'],
    [[], null],
    [[',', ' '], null],
  ])('are separated by spaces or commas: %j is %s', (names, scope) => {
    expect(joinScopes(names)).toBe(scope)
    expect(mergeScopes(...names)).toBe(scope)
    expect(subtractScopes(scope, names.join(','))).toBeNull()
  })

  it('are subtracted', () => {
    expect(subtractScopes('a b c', 'b')).toBe('a c')
    expect(subtractScopes('a', 'a')).toBeNull()
    expect(subtractScopes('a', null)).toBe('a')
    expect(subtractScopes(null, 'a')).toBeNull()
  })
})

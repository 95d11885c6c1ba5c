import { describe, expect, it } from 'vitest'
import { keyId, kidOf, missingKeys, sealingKey } from './sealing-key.ts'

const having = (...keys: string[]) => ({ keys, sealing: keys[0] ?? '' })

describe('sealingKey', () => {
  it.each([
    ['a replica alone', ['new', 'old'], [], 'new'],
    ['one that lacks the new key yet', ['new', 'old'], [having('old')], 'old'],
    ['one that has it, but not first', ['new', 'old'], [having('old', 'new')], 'new'],
    ['one that has not promoted it itself', ['old', 'new'], [having('new', 'old')], 'old'],
    ['one of several that lacks it', ['new', 'old'], [having('new', 'old'), having('old')], 'old'],
    ['replicas that have nothing in common', ['new', 'newer'], [having('old')], 'new'],
  ] as const)('is right beside %s', (_beside, [first, ...own], others, expected) => {
    expect(sealingKey([first, ...own], others)).toBe(expected)
  })
})

describe('missingKeys', () => {
  it('names what others seal with, once each', () => {
    const others = [having('old', 'new'), having('old'), having('new')]
    expect(missingKeys(['new'], others)).toEqual(['old'])
    expect(missingKeys(['new', 'old'], others)).toEqual([])
  })
})

describe('keyId', () => {
  it('tells keys of one name apart, and keeps the name', () => {
    const [one, other] = [1, 2].map((byte) => keyId({ kid: 'key-1.a', key: Buffer.alloc(32, byte) }))
    expect(one).not.toBe(other)
    expect(kidOf(one ?? '')).toBe('key-1.a')
    expect(one).not.toContain(Buffer.alloc(4, 1).toString('hex'))
  })
})

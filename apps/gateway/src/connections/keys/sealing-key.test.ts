import { describe, expect, it } from 'vitest'
import { keyId, kidOf, missingKeys, sealingKey } from './sealing-key.ts'

const replica = (...keys: string[]) => ({ keys, sealing: keys[0] ?? '' })

describe('sealingKey', () => {
  it.each([
    ['there is no other replica', ['new', 'old'], [], 'new'],
    ['another replica lacks the new key', ['new', 'old'], [replica('old')], 'old'],
    ['another replica has it, but not first', ['new', 'old'], [replica('old', 'new')], 'new'],
    ['only the other replica has promoted it', ['old', 'new'], [replica('new', 'old')], 'old'],
    ['one of several replicas lacks it', ['new', 'old'], [replica('new', 'old'), replica('old')], 'old'],
    ['the replicas have no key in common', ['new', 'newer'], [replica('old')], 'new'],
  ] as const)('chooses the first common key when %s', (_case, [first, ...own], others, expected) => {
    expect(sealingKey([first, ...own], others)).toBe(expected)
  })
})

describe('missingKeys', () => {
  it('lists the sealing keys of others once each', () => {
    const others = [replica('old', 'new'), replica('old'), replica('new')]
    expect(missingKeys(['new'], others)).toEqual(['old'])
    expect(missingKeys(['new', 'old'], others)).toEqual([])
  })
})

describe('keyId', () => {
  it('distinguishes keys of the same name and contains the name', () => {
    const [one, other] = [1, 2].map((byte) => keyId({ kid: 'key-1.a', key: Buffer.alloc(32, byte) }))
    expect(one).not.toBe(other)
    expect(kidOf(one ?? '')).toBe('key-1.a')
    expect(one).not.toContain(Buffer.alloc(4, 1).toString('hex'))
  })
})

import fc from 'fast-check'
import { crc32 } from 'node:zlib'
import { expect, it } from 'vitest'
import { encodeAccessKey, isAccessKey } from './access-key.ts'

const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })

it('encodes different random bytes as different keys that match the pattern of secret scanners', () => {
  fc.assert(
    fc.property(bytes, bytes, (one, other) => {
      expect(encodeAccessKey(one)).toMatch(/^nmg_[0-9A-Za-z]{49}$/)
      expect(isAccessKey(encodeAccessKey(one))).toBe(true)
      expect(encodeAccessKey(one) === encodeAccessKey(other)).toBe(Buffer.from(one).equals(Buffer.from(other)))
    }),
  )
})

it('pads the smallest and the largest value to the full length', () => {
  for (const value of [0, 255]) expect(isAccessKey(encodeAccessKey(new Uint8Array(32).fill(value)))).toBe(true)
})

it('appends the CRC-32 of prefix and body', () => {
  const key = encodeAccessKey(new Uint8Array(32).fill(7))
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const value = Array.from(key.slice(-6)).reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0)
  expect(value).toBe(crc32(key.slice(0, -6)))
})

it('rejects a key with one wrong character', () => {
  fc.assert(
    fc.property(bytes, fc.nat(48), fc.constantFrom('0', 'Z', 'a', '-', '_', ' '), (random, at, character) => {
      const key = encodeAccessKey(random)
      const wrong = key.slice(0, 4 + at) + character + key.slice(5 + at)
      expect(isAccessKey(wrong)).toBe(wrong === key)
    }),
  )
})

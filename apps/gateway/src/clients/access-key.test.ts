import fc from 'fast-check'
import { crc32 } from 'node:zlib'
import { expect, it } from 'vitest'
import { accessKey, isAccessKey } from './access-key.ts'

const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })

it('every key has the form that scanners look for, and no two are the same', () => {
  fc.assert(
    fc.property(bytes, bytes, (one, other) => {
      expect(accessKey(one)).toMatch(/^nmg_[0-9A-Za-z]{49}$/)
      expect(isAccessKey(accessKey(one))).toBe(true)
      expect(accessKey(one) === accessKey(other)).toBe(Buffer.from(one).equals(Buffer.from(other)))
    }),
  )
})

it('the first and the last of all keys have the form, too', () => {
  for (const value of [0, 255]) expect(isAccessKey(accessKey(new Uint8Array(32).fill(value)))).toBe(true)
})

it('the checksum is the CRC-32 of what stands before it', () => {
  const key = accessKey(new Uint8Array(32).fill(7))
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const value = Array.from(key.slice(-6)).reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0)
  expect(value).toBe(crc32(key.slice(0, -6)))
})

it('a key with one wrong character is none', () => {
  fc.assert(
    fc.property(bytes, fc.nat(48), fc.constantFrom('0', 'Z', 'a', '-', '_', ' '), (random, at, character) => {
      const key = accessKey(random)
      const wrong = key.slice(0, 4 + at) + character + key.slice(5 + at)
      expect(isAccessKey(wrong)).toBe(wrong === key)
    }),
  )
})

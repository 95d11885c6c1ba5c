import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { decoded } from './content-coding.ts'
import { TooMuchBody } from './too-much-body.ts'

const text = JSON.stringify({ access_token: 'a'.repeat(2_000) })

describe('a body that was compressed unasked', () => {
  it.each([
    ['gzip', gzipSync(text)],
    ['X-GZIP', gzipSync(text)],
    ['br', brotliCompressSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['identity', Buffer.from(text)],
    ['gzip', Buffer.from(text)],
    ['zstd', Buffer.from(text)],
    [null, Buffer.from(text)],
  ])('with %s is read', async (coding, bytes) => {
    expect((await decoded(bytes, coding, 10_000)).toString()).toBe(text)
  })

  it.each([
    ['gzip', gzipSync(Buffer.alloc(1_000_000))],
    ['br', brotliCompressSync(Buffer.alloc(1_000_000))],
    ['deflate', deflateRawSync(Buffer.alloc(1_000_000))],
  ])('with %s is given up when it grows beyond the limit', async (coding, bytes) => {
    await expect(decoded(bytes, coding, 10_000)).rejects.toThrow(TooMuchBody)
  })
})

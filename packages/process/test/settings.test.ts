import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { loadEnvFile, readSettings } from '../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'nmg-settings-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

const Schema = z.object({
  PORT: z.coerce.number().int().max(65_535).default(8000),
  SERVICE_TOKEN: z.string().min(8),
  LEVEL: z.enum(['info', 'debug']).default('info'),
})
const SERVICE_TOKEN = 'a-long-token'

describe('a setting', () => {
  it('has its default when it is not set', () => {
    expect(readSettings(Schema, { SERVICE_TOKEN })).toEqual({ PORT: 8000, SERVICE_TOKEN, LEVEL: 'info' })
  })

  it('with an empty value counts as not set', () => {
    expect(readSettings(Schema, { SERVICE_TOKEN, PORT: '', LEVEL_FILE: '' })).toMatchObject({
      PORT: 8000,
      LEVEL: 'info',
    })
  })

  it('can be read from a file, without the newline at its end', () => {
    const SERVICE_TOKEN_FILE = file('token', 'from-a-file\n')
    expect(readSettings(Schema, { SERVICE_TOKEN_FILE })).toMatchObject({ SERVICE_TOKEN: 'from-a-file' })
  })

  it.each([
    ['missing', {}, 'SERVICE_TOKEN is not set.'],
    ['not a number', { SERVICE_TOKEN, PORT: '80a' }, 'PORT is not a number.'],
    ['too large', { SERVICE_TOKEN, PORT: '70000' }, 'PORT: Too big: expected number to be <=65535.'],
    [
      'not one of the options',
      { SERVICE_TOKEN, LEVEL: 'loud' },
      'LEVEL: Invalid option: expected one of "info"|"debug".',
    ],
    [
      'set twice',
      { SERVICE_TOKEN, SERVICE_TOKEN_FILE: '/x' },
      'SERVICE_TOKEN is set twice, as SERVICE_TOKEN and as SERVICE_TOKEN_FILE.',
    ],
    [
      'in a missing file',
      { SERVICE_TOKEN_FILE: '/nowhere/x' },
      'SERVICE_TOKEN: the file /nowhere/x of SERVICE_TOKEN_FILE cannot be read (ENOENT).',
    ],
    [
      'in an empty file',
      { SERVICE_TOKEN_FILE: file('empty', '\n') },
      `SERVICE_TOKEN: the file ${join(folder, 'empty')} of SERVICE_TOKEN_FILE is empty.`,
    ],
  ])('that is %s is rejected in one sentence', (_, env, sentence) => {
    expect(() => readSettings(Schema, env)).toThrow(
      expect.objectContaining({ name: 'StartupError', message: sentence }),
    )
  })

  it('is reported together with all other invalid ones, without its value', () => {
    const read = () => readSettings(Schema, { SERVICE_TOKEN: 'secret!', PORT: 'x', LEVEL: 'loud' })
    expect(read).toThrow(/^PORT .*\nSERVICE_TOKEN: .*\nLEVEL: [^\n]*$/)
    expect(read).not.toThrow(/secret!|loud/)
  })

  it('can be checked against another one by the schema', () => {
    const both = Schema.refine(({ PORT, LEVEL }) => PORT === 8000 || LEVEL === 'debug', {
      path: ['LEVEL'],
      error: 'must be debug on this port',
    })
    expect(() => readSettings(both, { SERVICE_TOKEN, PORT: '1', LEVEL: 'info' })).toThrow(
      'LEVEL: must be debug on this port.',
    )
  })
})

describe('a .env file', () => {
  it('adds variables that the environment does not have', () => {
    file('.env', 'A=from the file\nB="quoted # text"\n# a comment\n')
    expect(loadEnvFile(folder, { A: 'from the environment' })).toEqual({
      A: 'from the environment',
      B: 'quoted # text',
    })
  })

  it('may also be beside the folder of a release', () => {
    const release = mkdtempSync(join(folder, 'release-'))
    writeFileSync(join(release, 'release.json'), '{}')
    file('.env', 'A=beside\nB=beside\n')
    writeFileSync(join(release, '.env'), 'A=inside\n')
    expect(loadEnvFile(release, {})).toEqual({ A: 'inside', B: 'beside' })
    expect(loadEnvFile(release, { B: 'from the environment' })).toEqual({ A: 'inside', B: 'from the environment' })
  })

  it('is optional', () => {
    expect(loadEnvFile(join(folder, 'nowhere'), { A: '1' })).toEqual({ A: '1' })
  })
})

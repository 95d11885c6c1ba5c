import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openDataDir, loadOrCreateSecret, repositoryRoot, StartupError } from '@nmg/process'
import { describe, expect, it } from 'vitest'
import { childEnded, firstLine, launch, temporaryFolder } from './fixtures.ts'

describe('the data directory', () => {
  it('is .data in the root by default, and is created for this user only', () => {
    const root = temporaryFolder()
    const folder = openDataDir({}, root)
    expect(folder).toBe(join(root, '.data'))
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(readdirSync(folder)).toEqual([])
  })

  it('is DATA_DIR, relative to the root', () => {
    const root = temporaryFolder()
    expect(openDataDir({ DATA_DIR: 'some/where' }, root)).toBe(join(root, 'some/where'))
    expect(openDataDir({ DATA_DIR: join(root, 'else') }, '/nowhere')).toBe(join(root, 'else'))
  })

  it('is beside the folder of a release, which the next release replaces', () => {
    const parent = temporaryFolder()
    const release = join(parent, 'release')
    mkdirSync(release)
    writeFileSync(join(release, 'release.json'), '{}')
    expect(openDataDir({}, release)).toBe(join(parent, '.data'))
    expect(openDataDir({ DATA_DIR: 'data' }, release)).toBe(join(parent, 'data'))
  })

  it('is rejected when it is not writable', () => {
    const root = temporaryFolder()
    writeFileSync(join(root, 'file'), '')
    for (const folder of [join(root, 'file/below'), join(root, 'file')]) {
      expect(() => openDataDir({ DATA_DIR: folder }, root)).toThrow(StartupError)
      expect(() => openDataDir({ DATA_DIR: folder }, root)).toThrow(
        new RegExp(`^The data directory ${folder} cannot be written \\(E[A-Z]+\\)\\. Set DATA_DIR to one that can\\.$`),
      )
    }
  })

  it('is rejected when other users can write it, as they could place their own keys there', () => {
    const root = temporaryFolder()
    const folder = openDataDir({}, root)
    chmodSync(folder, 0o777)
    expect(() => openDataDir({}, root)).toThrow(`The data directory ${folder} can be written by others. Run: chmod 700`)
  })
})

describe('a generated secret', () => {
  it('is created once, readable by this user only', () => {
    const folder = temporaryFolder()
    expect(loadOrCreateSecret(folder, 'token', () => 'first')).toBe('first')
    expect(loadOrCreateSecret(folder, 'token', () => 'second')).toBe('first')
    expect(statSync(join(folder, 'token')).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['token'])
  })

  it('is the same for processes that create it at the same time', async () => {
    const folder = temporaryFolder()
    const code = `
      import { loadOrCreateSecret } from '@nmg/process'
      import { randomUUID } from 'node:crypto'
      console.log(loadOrCreateSecret(process.argv[1], 'token', randomUUID))`
    const createInProcess = async () => {
      const child = launch(['--input-type=module', '--eval', code, folder])
      const [line] = await Promise.all([firstLine(child), childEnded(child)])
      return line
    }
    expect(new Set(await Promise.all([1, 2, 3, 4].map(createInProcess))).size).toBe(1)
  })

  it('is rejected when other users can read it, or when it is empty', () => {
    const folder = temporaryFolder()
    loadOrCreateSecret(folder, 'token', () => 'value')
    chmodSync(join(folder, 'token'), 0o644)
    expect(() => loadOrCreateSecret(folder, 'token', () => 'new')).toThrow(
      /can be read by others \(mode 644\)\. Run: chmod 600 /,
    )
    symlinkSync(join(folder, 'token'), join(folder, 'link'))
    expect(() => loadOrCreateSecret(folder, 'link', () => 'new')).toThrow(/link cannot be read \(ELOOP\)/)
    writeFileSync(join(folder, 'empty'), '', { mode: 0o600 })
    expect(() => loadOrCreateSecret(folder, 'empty', () => 'new')).toThrow(/is empty/)
  })
})

it('repositoryRoot is the folder with the lock file', () => {
  expect(existsSync(join(repositoryRoot, 'package-lock.json'))).toBe(true)
})

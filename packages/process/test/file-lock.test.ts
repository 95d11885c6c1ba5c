import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { withFileLock } from '../src/file-lock.mjs'
import { childEnded, eventually, firstLine, launch, temporaryFolder } from './fixtures.ts'

const LOCK = JSON.stringify(join(import.meta.dirname, '../src/file-lock.mjs'))

/** Starts a process that acquires the lock, prints a line, and runs `work` with the lock. */
function holder(path: string, work: string) {
  const code = `
    import { withFileLock } from ${LOCK}
    import { appendFileSync } from 'node:fs'
    import { setTimeout as sleep } from 'node:timers/promises'
    await withFileLock(process.argv[1], async () => { console.log('holding'); ${work} })`
  return launch(['--input-type=module', '--eval', code, path])
}

/** The content of the lock: process id, start time, a unique id, and the namespace of process ids. */
const markOf = (path: string) => withFileLock(path, async () => readFileSync(path, 'utf8').split(' '))

describe('a lock between processes', () => {
  it('is held by one process at a time', async () => {
    const folder = temporaryFolder()
    const work = `
      appendFileSync(${JSON.stringify(join(folder, 'log'))}, 'in ')
      await sleep(30)
      appendFileSync(${JSON.stringify(join(folder, 'log'))}, 'out ')`
    const holders = [1, 2, 3, 4].map(() => holder(join(folder, 'lock'), work))
    for (const child of holders) expect(await childEnded(child)).toEqual({ code: 0, stderr: '' })
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('in out '.repeat(4))
    expect(readdirSync(folder)).toEqual(['log'])
  })

  it('is released at once when its holder is killed, to one of several waiters', async () => {
    const path = join(temporaryFolder(), 'lock')
    const dead = holder(path, 'await sleep(60_000)')
    await firstLine(dead)

    let inside = 0
    let most = 0
    const waiting = [1, 2, 3, 4, 5].map(() =>
      withFileLock(path, async () => {
        most = Math.max(most, ++inside)
        await sleep(5)
        inside--
      }),
    )
    dead.kill('SIGKILL')
    await Promise.all(waiting)
    expect(most).toBe(1)
  })

  it('calls onWait once', async () => {
    const path = join(temporaryFolder(), 'lock')
    const other = holder(path, 'await sleep(300)')
    await firstLine(other)
    let calls = 0
    await withFileLock(
      path,
      async () => undefined,
      () => calls++,
    )
    expect(calls).toBe(1)
  })

  it('is released when another program has the process id of its dead holder', async () => {
    const path = join(temporaryFolder(), 'lock')
    writeFileSync(path, `${process.pid} 1 ${(await markOf(path)).slice(2).join(' ')}`)
    expect(await withFileLock(path, async () => 'done')).toBe('done')
    expect(existsSync(path)).toBe(false)
  })

  it('of a process in another container is held until its heartbeats stop', async () => {
    const path = join(temporaryFolder(), 'lock')
    writeFileSync(path, `${process.pid} 1 00000000-0000-0000-0000-000000000000 another-namespace`)
    let isWaiting = false
    const work = withFileLock(
      path,
      async () => 'done',
      () => (isWaiting = true),
    )
    await eventually(() => isWaiting)
    const aMinuteAgo = new Date(Date.now() - 60_000)
    utimesSync(path, aMinuteAgo, aMinuteAgo)
    expect(await work).toBe('done')
  })

  it('is released when the work fails', async () => {
    const path = join(temporaryFolder(), 'lock')
    await expect(withFileLock(path, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
    expect(existsSync(path)).toBe(false)
  })
})

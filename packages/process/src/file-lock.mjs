// A lock between processes. JavaScript, since scripts/run.mjs needs it before a Node that understands TypeScript is there.
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, readlinkSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 50

/** How often a holder shows that it lives to those who cannot see its process, as from another container. */
const SIGN_OF_LIFE_MS = 5_000

/** How long after its last sign of life such a holder counts as dead. */
const GIVEN_UP_AFTER_MS = 20_000

/** Where process ids mean the same as here. */
const WORLD = processWorld()

/**
 * Runs `work` while no other process that asks for the lock at `path` runs its own. A holder that died holds nothing.
 *
 * The lock is a file that names its holder. It appears by `link`, which only one of many succeeds with.
 */
export async function withFileLock(path, work, onWait) {
  const mark = await acquire(path, onWait)
  const signs = setInterval(() => read(path) === mark && touch(path), SIGN_OF_LIFE_MS)
  try {
    return await work()
  } finally {
    clearInterval(signs)
    if (read(path) === mark) rmSync(path, { force: true })
  }
}

/** Whether a process with this id runs. One that is dead but not yet buried (a zombie) does not. */
export function isAlive(pid) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code !== 'EPERM') return false
  }
  return process.platform !== 'linux' || procStat(pid)?.[0] !== 'Z'
}

async function acquire(path, onWait) {
  const mark = `${process.pid} ${startOf(process.pid)} ${randomUUID()} ${WORLD}`
  const draft = `${path}.${randomUUID()}`
  writeFileSync(draft, mark, { mode: 0o600, flag: 'wx' })
  try {
    for (let waited = false; ; waited = true) {
      touch(draft)
      if (link(draft, path)) return mark
      const holder = read(path)
      if (holder === undefined) continue
      if (holdsStill(holder, path)) {
        if (!waited) onWait?.()
        await sleep(POLL_MS)
      } else {
        await removeDead(path, holder)
      }
    }
  } finally {
    rmSync(draft, { force: true })
  }
}

/**
 * Takes a dead holder's lock away. Two who saw the same dead holder must not both do it: the second would remove the lock that somebody
 * took in between. So who removes it holds a lock of its own for just this holder, and looks again.
 */
async function removeDead(path, holder) {
  const id = holder.split(' ')[2]
  await withFileLock(`${path}.${id}`, async () => {
    if (read(path) === holder) rmSync(path, { force: true })
  })
}

function link(from, to) {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function touch(path) {
  const now = new Date()
  try {
    utimesSync(path, now, now)
  } catch {
    // Whoever took it away had waited for long.
  }
}

function holdsStill(mark, path) {
  const [pid, start, , world] = mark.split(' ')
  if (world === WORLD) return isAlive(Number(pid)) && startOf(Number(pid)) === start
  const sign = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return Date.now() - sign < GIVEN_UP_AFTER_MS
}

function processWorld() {
  if (process.platform !== 'linux') return hostname()
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

/** When the process began, in the system's own words: process ids are used again. */
function startOf(pid) {
  if (process.platform === 'linux') return procStat(pid)?.[19] ?? 'unknown'
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .replaceAll(/\s+/g, '_')
  } catch {
    return 'unknown'
  }
}

/** The fields of /proc/<pid>/stat from the third on: the second is the program's name, which can hold anything. */
function procStat(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

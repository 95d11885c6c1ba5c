// A lock between processes. JavaScript, because scripts/run.mjs needs it before a Node that runs TypeScript is installed.
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, readlinkSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 50

/** Interval at which a holder touches the lock, for waiters that cannot see its process, e.g. in another container. */
const HEARTBEAT_MS = 5_000

/** Age of the last heartbeat after which such a holder counts as dead. */
const DEAD_AFTER_MS = 20_000

/** Identifies the namespace of process ids. */
const PID_NAMESPACE = pidNamespace()

/**
 * Runs `work` with the exclusive lock at `path`. The lock of a dead process is taken over.
 *
 * The lock is a file that names its holder. `link` creates it, which succeeds for one process only.
 */
export async function withFileLock(path, work, onWait) {
  const mark = await acquire(path, onWait)
  const heartbeat = setInterval(() => read(path) === mark && touch(path), HEARTBEAT_MS)
  try {
    return await work()
  } finally {
    clearInterval(heartbeat)
    if (read(path) === mark) rmSync(path, { force: true })
  }
}

/** True if a process with this id is running. A zombie is not. */
export function isAlive(pid) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code !== 'EPERM') return false
  }
  return process.platform !== 'linux' || procStat(pid)?.[0] !== 'Z'
}

async function acquire(path, onWait) {
  const mark = `${process.pid} ${startTime(process.pid)} ${randomUUID()} ${PID_NAMESPACE}`
  const draft = `${path}.${randomUUID()}`
  writeFileSync(draft, mark, { mode: 0o600, flag: 'wx' })
  try {
    for (let waited = false; ; waited = true) {
      touch(draft)
      if (link(draft, path)) return mark
      const holder = read(path)
      if (holder === undefined) continue
      if (isHeld(holder, path)) {
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
 * Removes the lock of a dead holder. If two processes did this at the same time, the second could remove a lock acquired in between, so it requires a
 * lock for this holder, and reads the file again.
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
    // Another process has taken over the lock.
  }
}

function isHeld(mark, path) {
  const [pid, start, , namespace] = mark.split(' ')
  if (namespace === PID_NAMESPACE) return isAlive(Number(pid)) && startTime(Number(pid)) === start
  const heartbeat = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return Date.now() - heartbeat < DEAD_AFTER_MS
}

function pidNamespace() {
  if (process.platform !== 'linux') return hostname()
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return hostname()
  }
}

/** The start time of a process, in the system's format. Distinguishes processes with the same, reused id. */
function startTime(pid) {
  if (process.platform === 'linux') return procStat(pid)?.[19] ?? 'unknown'
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .replaceAll(/\s+/g, '_')
  } catch {
    return 'unknown'
  }
}

/** The fields of /proc/<pid>/stat from the third on. The second is the program's name, which may contain any character. */
function procStat(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

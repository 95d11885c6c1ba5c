// Finds the processes that run programs of a folder. Uses only built-in modules of Node 20.19.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { resolve, sep } from 'node:path'

/**
 * The other processes of this machine whose command line names `path` or something below it.
 *
 * @returns {{ pid: number, command: string }[]} empty if the system hides the processes of others.
 */
export function processesRunning(path) {
  const isBelow = (argument) => argument === path || argument.startsWith(path + sep)
  return allProcesses().filter(
    ({ pid, folder, words }) => pid !== process.pid && words.some((word) => isBelow(resolve(folder, word))),
  )
}

function allProcesses() {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => linuxProcess(Number(pid)) ?? [])
  } catch {
    // Without /proc, ps separates arguments by spaces; a path with spaces is not found then.
    const { stdout } = spawnSync('ps', ['-axo', 'pid=,command='], { encoding: 'utf8' })
    return stdout.split('\n').flatMap((line) => {
      const [, pid, command] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? []
      return command ? [{ pid: Number(pid), command, folder: '/', words: command.split(' ') }] : []
    })
  }
}

/** @returns undefined if the process has ended meanwhile. */
function linuxProcess(pid) {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
    return { pid, command: words.join(' '), folder: workingFolder(pid), words }
  } catch {
    return undefined
  }
}

/** Hidden for another user's process. */
function workingFolder(pid) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return '/'
  }
}

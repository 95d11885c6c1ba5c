// Which processes run something of a folder. Built-in modules of Node 20.19 only.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { resolve, sep } from 'node:path'

/**
 * The other processes of this machine whose command line names `path` or something below it.
 *
 * @returns {{ pid: number, command: string }[]} empty where the system shows the processes of others to nobody.
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
    // Where there is no /proc, ps separates arguments by spaces; a path with spaces is not found then.
    const { stdout } = spawnSync('ps', ['-axo', 'pid=,command='], { encoding: 'utf8' })
    return stdout.split('\n').flatMap((line) => {
      const [, pid, command] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? []
      return command ? [{ pid: Number(pid), command, folder: '/', words: command.split(' ') }] : []
    })
  }
}

/** @returns undefined when the process has ended meanwhile. */
function linuxProcess(pid) {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
    return { pid, command: words.join(' '), folder: workingFolder(pid), words }
  } catch {
    return undefined
  }
}

/** Of another user's process it is not shown. */
function workingFolder(pid) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return '/'
  }
}

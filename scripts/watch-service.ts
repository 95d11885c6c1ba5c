import type { ChildProcess } from 'node:child_process'
import { existsSync, statSync, watch } from 'node:fs'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { styleText } from 'node:util'
import { StartupError } from '../packages/process/src/index.ts'
import { readableLine } from './log-line.ts'
import { answers, ended, launch, terminate, type Service, type Supervised } from './supervisor.ts'

/** Editors write a file in several steps, and tools write several files at once. */
const SETTLE_MS = 100

const SOURCE = /\.(ts|mjs|sql|json)$/
const TEST = /\.test\.ts$/

const PRINT_CRASHES = ['--import', join(import.meta.dirname, 'print-crashes.mjs')]

const COLORS = { simulator: 'magenta', gateway: 'cyan', 'web app': 'blue' } as const

/**
 * Runs a service and restarts it when one of its sources changes. A service that ends is started again at the next change, so `ready` waits
 * for as long as that takes. Output is written line by line, with the service's name in front.
 *
 * Not with `node --watch`: its watcher outlives the process that started it, takes what Next compiles for changes, and does not see migrations.
 */
export function watchService(service: Service): Supervised {
  const say = printer(service.name)
  const changes = changesOf(service.sources)
  const stopping = new AbortController()
  let child: ChildProcess

  const run = async () => {
    while (!stopping.signal.aborted) {
      child = launch({ ...service, command: [...PRINT_CRASHES, ...service.command] }, 'pipe')
      for (const stream of [child.stdout, child.stderr]) if (stream) createInterface(stream).on('line', say)
      const changed = changes.next()
      const end = await Promise.race([ended(child), changed])
      if (stopping.signal.aborted) return
      if (typeof end === 'object') say(styleText('red', `ended (${end.words}); waiting for the next change`))
      const file = await changed
      if (stopping.signal.aborted) return
      say(styleText('gray', `restarts: ${file} changed`))
      await terminate(child)
    }
  }
  const running = run()

  return {
    ready: untilReady(service.readyUrl, stopping.signal),
    async stop() {
      stopping.abort()
      changes.close()
      await terminate(child)
      await running
    },
  }
}

/** Resolves when the service is ready, or is stopping. */
async function untilReady(url: string, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted && !(await answers(url))) await sleep(200)
}

function printer(name: string): (line: string) => void {
  const prefix = styleText(COLORS[name as keyof typeof COLORS] ?? 'white', `${name.padEnd(9)} │ `)
  return (line) => void process.stdout.write(`${prefix}${readableLine(line)}\n`)
}

interface Changes {
  /** Resolves with the name of a changed file once the sources are quiet again; with an empty name after `close`. */
  next(): Promise<string>
  close(): void
}

function changesOf(sources: readonly string[]): Changes {
  let timer: NodeJS.Timeout | undefined
  let resolveNext: (file: string) => void = () => undefined
  const watchers = sources.filter(existsSync).map((source) =>
    watch(source, { recursive: statSync(source).isDirectory() }, (_, file) => {
      // Without a name, it is the watched file itself.
      const name = file ?? basename(source)
      if (!SOURCE.test(name) || TEST.test(name)) return
      clearTimeout(timer)
      timer = setTimeout(() => resolveNext(name), SETTLE_MS)
    }),
  )
  return {
    next: () => new Promise((resolve) => (resolveNext = resolve)),
    close() {
      clearTimeout(timer)
      for (const watcher of watchers) watcher.close()
      resolveNext('')
    },
  }
}

/** The first debugger port: Node's default. */
const INSPECT_PORT = 9229

export interface InspectFlags {
  gateway: string[]
  web: string[]
  simulator: string[]
  /** The processes by debugger port. */
  words: string
}

/**
 * `--inspect` or `--inspect=<port>`: the gateway listens for a debugger on that port (9229), the web app and the simulator on the next two.
 *
 * @throws {StartupError} for any other option.
 */
export function inspectFlags(options: readonly string[]): InspectFlags | undefined {
  if (options.length === 0) return undefined
  const [, port = INSPECT_PORT] = /^--inspect(?:=(\d{1,5}))?$/.exec(options.join(' ')) ?? [undefined, Number.NaN]
  const first = Number(port)
  if (!(first >= 1 && first + 2 <= 65_535)) {
    throw new StartupError('npm run dev takes one option: -- --inspect or -- --inspect=<first port>.')
  }
  const flag = (number: number) => [`--inspect=127.0.0.1:${number}`]
  return {
    gateway: flag(first),
    web: flag(first + 1),
    simulator: flag(first + 2),
    words: `gateway ${first}, web app ${first + 1}, simulator ${first + 2} (on 127.0.0.1)`,
  }
}

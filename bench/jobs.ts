import { type ChildProcess, spawn } from 'node:child_process'

/** The functions that a child process offers over IPC, with serializable arguments and results. */
type Jobs<T> = { [Name in keyof T]: (...args: never[]) => unknown }

interface Request {
  readonly id: number
  readonly name: string
  readonly args: unknown[]
}

interface Reply {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** Runs the jobs that the parent process requests. */
export function serveJobs<T extends Jobs<T>>(jobs: T): void {
  const work = jobs as unknown as Record<string, (...args: unknown[]) => unknown>
  process.on('message', ({ id, name, args }: Request) => {
    Promise.resolve()
      .then(() => work[name]?.(...args))
      .then(
        (result) => process.send?.({ id, result } satisfies Reply),
        (error: unknown) => process.send?.({ id, error: String(error) } satisfies Reply),
      )
  })
  process.on('disconnect', () => process.exit(0))
}

/** The jobs of a child process that calls {@link serveJobs}. */
export type Worker<T> = {
  readonly [Name in keyof T]: T[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never
} & { readonly pid: number; readonly child: ChildProcess }

/** Starts a worker. It ends with this process. */
export function startWorker<T extends Jobs<T>>(file: string, env: Record<string, string> = {}): Worker<T> {
  const child = spawn(process.execPath, [file], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...env },
  })
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  let id = 0
  child.on('message', (reply: Reply) => {
    const { resolve, reject } = waiting.get(reply.id) ?? {}
    waiting.delete(reply.id)
    if (reply.error === undefined) resolve?.(reply.result)
    else reject?.(new Error(reply.error))
  })
  child.on('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error(`${file} has ended`))
  })
  const jobs = new Proxy(
    {},
    {
      get(_, name) {
        if (name === 'pid') return child.pid
        if (name === 'child') return child
        if (name === 'then' || typeof name !== 'string') return undefined
        return (...args: unknown[]) =>
          new Promise((resolve, reject) => {
            id++
            waiting.set(id, { resolve, reject })
            child.send({ id, name, args } satisfies Request)
          })
      },
    },
  )
  return jobs as Worker<T>
}

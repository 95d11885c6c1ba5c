/** A reason not to start. The message is for the operator: one sentence, or one line for each invalid setting. */
export class StartupError extends Error {
  override readonly name = 'StartupError'
}

/** Time limit of `stop()`. The process exits afterwards anyway. */
const STOP_DEADLINE_MS = 30_000

/** The IPC message that stops a child process like SIGTERM. Repeating it has no effect. */
export const STOP_MESSAGE = 'stop'

/**
 * Runs a process of the product. SIGTERM, SIGINT, the IPC message {@link STOP_MESSAGE} and the end of the IPC channel stop what `start` has
 * returned, once, and the process exits with 0. A second signal exits with 1 at once. When `start` rejects, the process writes the reason to stderr and
 * exits with 1.
 *
 * `stopRequested` is aborted when a stop is requested while `start` is running; `start` may then reject with any error.
 */
export function runProcess(
  name: string,
  start: (stopRequested: AbortSignal) => Promise<{ stop(): Promise<void> }>,
): void {
  // The reader of our output may end first; that must not prevent an orderly stop.
  process.stdout.on('error', () => undefined)
  process.stderr.on('error', () => undefined)

  const stopRequested = new AbortController()
  // Start after the signal handlers are installed: an early signal would otherwise kill the process.
  const running = Promise.resolve().then(() => start(stopRequested.signal))
  running.catch((error: unknown) => fail(name, stopRequested.signal.aborted ? undefined : error))

  const stop = () => {
    if (stopRequested.signal.aborted) return
    stopRequested.abort()
    setTimeout(
      () => fail(name, new StartupError(`did not stop within ${STOP_DEADLINE_MS / 1000} seconds; exiting now.`)),
      STOP_DEADLINE_MS,
    ).unref()
    running
      .then((started) => started.stop())
      .then(
        () => process.exit(0),
        (error: unknown) => fail(name, error),
      )
  }
  const onSignal = () => {
    if (stopRequested.signal.aborted) process.exit(1)
    stop()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  if (!process.connected) return
  process.on('disconnect', stop)
  process.on('message', (message) => message === STOP_MESSAGE && stop())
}

function fail(name: string, error: unknown): never {
  if (error !== undefined) process.stderr.write(`${name}: ${reason(error).replaceAll('\n', `\n${name}: `)}\n`)
  process.exit(1)
}

function reason(error: unknown): string {
  if (error instanceof StartupError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/**
 * The {@link StartupError} for a failure to listen; other errors are returned unchanged.
 *
 * @example server.on('error', (error) => reject(listenError(error, settings.HOST, settings.PORT)))
 */
export function listenError(error: unknown, host: string, port: number): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? ''
  switch (code) {
    case 'EADDRINUSE':
      return new StartupError(`Port ${port} on ${host} is taken. Stop the other program or set PORT to a free one.`, {
        cause: error,
      })
    case 'EACCES':
      return new StartupError(`Port ${port} on ${host} may not be used by this user. Set PORT to one above 1023.`, {
        cause: error,
      })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartupError(
        `This machine has no address ${host}. Set HOST to an address of this machine, e.g. 127.0.0.1.`,
        {
          cause: error,
        },
      )
    default:
      return error
  }
}

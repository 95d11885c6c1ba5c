/** A reason not to start. Its message is what the operator reads: one clear sentence, or one line for each wrong setting. */
export class StartupError extends Error {
  override readonly name = 'StartupError'
}

/** How long `stop()` may take before the process leaves without it. */
const STOP_DEADLINE_MS = 30_000

/** What a process tells one that it started over IPC, to have it stop as at SIGTERM; said twice, it is no second signal. */
export const STOP_MESSAGE = 'stop'

/**
 * Runs a process of the product from start to end: what `start` answers is stopped once, at SIGTERM, at SIGINT, when the process
 * that started this one over IPC says {@link STOP_MESSAGE} or is gone, and then the process exits with 0. A second signal exits with 1 at once. When `start`
 * refuses, the reason goes to stderr and the process exits with 1.
 *
 * A stop that is asked for before `start` is through is told to it by `stopRequested`; it may then give up by throwing anything.
 */
export function runProcess(
  name: string,
  start: (stopRequested: AbortSignal) => Promise<{ stop(): Promise<void> }>,
): void {
  // Whoever read our output may be gone before us; that must not keep us from stopping in order.
  process.stdout.on('error', () => undefined)
  process.stderr.on('error', () => undefined)

  const stopRequested = new AbortController()
  // Not before all that may stop it is in place: a signal in its first moments would otherwise end the process as it stands.
  const running = Promise.resolve().then(() => start(stopRequested.signal))
  running.catch((error: unknown) => fail(name, stopRequested.signal.aborted ? undefined : error))

  const stop = () => {
    if (stopRequested.signal.aborted) return
    stopRequested.abort()
    setTimeout(
      () => fail(name, new StartupError(`did not stop within ${STOP_DEADLINE_MS / 1000} seconds, so it leaves now.`)),
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
 * What to tell the operator when listening failed; an error of another kind is given back as it is.
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
      return new StartupError(`This machine has no address ${host}. Set HOST to one that it has, as 127.0.0.1.`, {
        cause: error,
      })
    default:
      return error
  }
}

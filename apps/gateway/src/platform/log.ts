import { pino, type DestinationStream } from 'pino'
import { batchPerTick } from './batch-per-tick.ts'

/** Facts of one event. Secrets show as `[secret]`; a stranger's text goes in as a value, never into the name. */
export type Facts = Readonly<Record<string, unknown>>

/** Logs are events: a stable name and facts, no sentences. One JSON line each. */
export interface Log {
  debug(event: string, facts?: Facts): void
  info(event: string, facts?: Facts): void
  warn(event: string, facts?: Facts): void
  error(event: string, facts?: Facts): void
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export function jsonLog(level: LogLevel, destination: DestinationStream = standardOutput()): Log {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'event',
      timestamp,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => destination.write(visible(line)) },
  )
  const write = (at: Exclude<LogLevel, 'silent'>) => (event: string, facts?: Facts) => logger[at](facts ?? {}, event)
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

/** Control characters that JSON need not escape, and that terminals obey or readers of lines take for line ends. */
// oxlint-disable-next-line no-control-regex
const INVISIBLE = /[\x7f-\x9f\u2028\u2029]/g

/** The line of JSON with these escaped: they stand in strings only, so it stays the same value. */
const visible = (line: string) =>
  line.replace(INVISIBLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Standard output, with one write for all lines of a turn. A process that exits, however, exits with all its lines written. */
function standardOutput(): DestinationStream {
  let waiting = ''
  const flush = (): void => {
    const lines = waiting
    waiting = ''
    if (lines !== '') process.stdout.write(lines)
  }
  const flushLater = batchPerTick(flush)
  process.on('exit', flush)
  return {
    write(line) {
      if (waiting === '') flushLater(undefined)
      waiting += line
    },
  }
}

let timestampMs = 0
let timestampText = ''

/** Many lines fall into one millisecond, and spelling it out takes longer than the rest of a line. */
function timestamp(): string {
  const now = Date.now()
  if (now !== timestampMs) {
    timestampMs = now
    timestampText = `,"time":"${new Date(now).toISOString()}"`
  }
  return timestampText
}

/**
 * Where an error of unknown origin was made: the places of its stack, without its message.
 */
export function placesOf(error: unknown): string[] {
  const lines = error instanceof Error ? (error.stack ?? '').split('\n') : []
  return lines
    .filter((line) => /^ {4}at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim())
}

/** The level at which a response is logged: what is the gateway's fault, what failed elsewhere, everything else. */
export const levelOf = (status: number): 'error' | 'warn' | 'info' =>
  status === 500 ? 'error' : status > 500 ? 'warn' : 'info'

/**
 * What may be said of an error of unknown origin: its class and its code, and those of its causes. Never the message: it may hold what a peer
 * sent.
 */
export function describeError(error: unknown): Facts {
  if (!(error instanceof Error)) return { error: typeof error }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  // PostgreSQL's errors have a severity, and SQLSTATE for a code.
  const isSqlState = 'severity' in error
  return {
    error: isSqlState ? 'DatabaseError' : error.name,
    ...(code === undefined ? {} : { [isSqlState ? 'sqlstate' : 'code']: code }),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  }
}

/** Node prints its warnings, and the error that ends the process, as text for people. In a log, they are lines as all others are. */
export function logWarningsAndCrashes(log: Log): void {
  process.removeAllListeners('warning')
  process.on('warning', (warning) => log.warn('process.warning', describeError(warning)))
  process.on('uncaughtException', (error) => {
    log.error('process.crashed', { ...describeError(error), at: placesOf(error) })
    process.exit(1)
  })
}

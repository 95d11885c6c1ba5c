import { pino, type DestinationStream } from 'pino'
import { batchPerTick } from './batch-per-tick.ts'

/** Fields of one log event. Secrets appear as `[secret]`; untrusted text is only ever a value, never a field name. */
export type LogFields = Readonly<Record<string, unknown>>

/** Structured log: each event is one line of JSON with a stable name and fields, without sentences. */
export interface Log {
  debug(event: string, facts?: LogFields): void
  info(event: string, facts?: LogFields): void
  warn(event: string, facts?: LogFields): void
  error(event: string, facts?: LogFields): void
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
    { write: (line) => destination.write(escapeInvisible(line)) },
  )
  const write = (at: Exclude<LogLevel, 'silent'>) => (event: string, facts?: LogFields) =>
    logger[at](facts ?? {}, event)
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

/** Control characters that JSON does not have to escape, but that terminals interpret or line readers take for line breaks. */
// oxlint-disable-next-line no-control-regex
const INVISIBLE = /[\x7f-\x9f\u2028\u2029]/g

/** Escapes these characters. They occur only within JSON strings, so the value stays the same. */
const escapeInvisible = (line: string) =>
  line.replace(INVISIBLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Standard output with one write for all lines of a tick. Pending lines are flushed when the process exits. */
function standardOutput(): DestinationStream {
  let pending = ''
  const flush = (): void => {
    const lines = pending
    pending = ''
    if (lines !== '') process.stdout.write(lines)
  }
  const flushLater = batchPerTick(flush)
  process.on('exit', flush)
  return {
    write(line) {
      if (pending === '') flushLater(undefined)
      pending += line
    },
  }
}

let timestampMs = 0
let timestampText = ''

/** Cached per millisecond: many lines share one, and formatting it takes longer than the rest of a line. */
function timestamp(): string {
  const now = Date.now()
  if (now !== timestampMs) {
    timestampMs = now
    timestampText = `,"time":"${new Date(now).toISOString()}"`
  }
  return timestampText
}

/** The first stack frames of an error of unknown origin, without its message, which may hold a secret. */
export function stackFramesOf(error: unknown): string[] {
  const lines = error instanceof Error ? (error.stack ?? '').split('\n') : []
  return lines
    .filter((line) => /^ {4}at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim())
}

/** The level at which a response is logged: `error` for the gateway's bugs, `warn` for failures elsewhere, else `info`. */
export const levelOf = (status: number): 'error' | 'warn' | 'info' =>
  status === 500 ? 'error' : status > 500 ? 'warn' : 'info'

/** The class and code of an error of unknown origin and of its causes. Never the message, which may hold text sent by a peer. */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  // Only PostgreSQL's errors have a severity; their code is the SQLSTATE.
  const isSqlState = 'severity' in error
  return {
    error: isSqlState ? 'DatabaseError' : error.name,
    ...(code === undefined ? {} : { [isSqlState ? 'sqlstate' : 'code']: code }),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  }
}

/** Logs Node's warnings and an uncaught exception as events; by default Node prints them as plain text. */
export function logWarningsAndCrashes(log: Log): void {
  process.removeAllListeners('warning')
  process.on('warning', (warning) => log.warn('process.warning', describeError(warning)))
  process.on('uncaughtException', (error) => {
    log.error('process.crashed', { ...describeError(error), at: stackFramesOf(error) })
    process.exit(1)
  })
}

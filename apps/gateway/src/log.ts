import { pino } from 'pino'

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

export function jsonLog(level: LogLevel, destination: NodeJS.WritableStream = process.stdout): Log {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'event',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  )
  const write = (at: Exclude<LogLevel, 'silent'>) => (event: string, facts?: Facts) => logger[at](facts ?? {}, event)
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

/**
 * What may be said of an error of unknown origin: its class and its code, and those of its causes. Never the message: it may hold what a peer
 * sent.
 */
export function describeError(error: unknown): Facts {
  if (!(error instanceof Error)) return { error: typeof error }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  return {
    error: error.name,
    ...(code === undefined ? {} : { code }),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  }
}

type Facts = Record<string, string | number | boolean | undefined>

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LEVELS)[number]

// Next bundles pages apart from the process that serves them, so a module variable would exist twice.
const KEY = Symbol.for('nmg.web.log-level')
const registry = globalThis as { [KEY]?: LogLevel }

/** From now on, lines below this level are left out. */
export function setLogLevel(level: LogLevel): void {
  registry[KEY] = level
}

function write(level: 'info' | 'warn' | 'error', event: string, facts: Facts): void {
  if (LEVELS.indexOf(level) < LEVELS.indexOf(registry[KEY] ?? 'info')) return
  process.stdout.write(
    `${JSON.stringify({ time: new Date().toISOString(), level, process: 'web', event, ...facts })}\n`,
  )
}

/** One JSON line for each event: a stable name and facts, never a secret and never a user's data. */
export const log = {
  info: (event: string, facts: Facts = {}) => write('info', event, facts),
  warn: (event: string, facts: Facts = {}) => write('warn', event, facts),
  error: (event: string, facts: Facts = {}) => write('error', event, facts),
}

/** How far back causes are followed. */
const MOST_CAUSES = 5

/**
 * An error, as facts of a log line: its kind and message and those of its causes, never empty, where it was thrown, and the SQLSTATE of an error
 * of the database.
 */
export function causeOf(error: unknown): { cause: string; stack?: string; sqlstate?: string } {
  const chain = chainOf(error)
  const sqlstate = chain.map(sqlstateOf).find((state) => state !== undefined)
  const [, ...frames] = error instanceof Error ? (error.stack ?? '').split(/\n(?=\s+at )/) : []
  return {
    cause: chain.map(described).join(' <- '),
    ...(frames.length > 0 && { stack: frames.map((frame) => frame.trim()).join('\n') }),
    ...(sqlstate !== undefined && { sqlstate }),
  }
}

/** The code of an error that PostgreSQL reported ([Appendix A](https://www.postgresql.org/docs/current/errcodes-appendix.html)). */
export function sqlstateOf(error: unknown): string | undefined {
  const code = codeOf(error)
  return error instanceof Error && 'severity' in error && code && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/** An error and its causes; of an AggregateError, the first. */
export function chainOf(error: unknown): unknown[] {
  const chain = [error]
  while (chain.length < MOST_CAUSES) {
    const last = chain.at(-1)
    const next: unknown =
      last instanceof AggregateError ? last.errors[0] : last instanceof Error ? last.cause : undefined
    if (next === undefined || next === null) break
    chain.push(next)
  }
  return chain
}

export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && code !== '' ? code : undefined
}

function described(error: unknown): string {
  if (!(error instanceof Error)) return `${typeof error} was thrown`
  return [error.name || 'Error', codeOf(error), error.message].filter(Boolean).join(': ')
}

type Facts = Record<string, string | number | boolean | undefined>

function write(level: 'info' | 'warn' | 'error', event: string, facts: Facts): void {
  process.stdout.write(
    `${JSON.stringify({ time: new Date().toISOString(), level, process: 'web', event, ...facts })}\n`,
  )
}

/** One JSON line for each event: a stable name and facts, never a secret and never a person's data. */
export const log = {
  info: (event: string, facts: Facts = {}) => write('info', event, facts),
  warn: (event: string, facts: Facts = {}) => write('warn', event, facts),
  error: (event: string, facts: Facts = {}) => write('error', event, facts),
}

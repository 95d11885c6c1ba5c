import { format, stripVTControlCharacters } from 'node:util'
import { causeOf, log } from '../lib/log.ts'

const LEVELS = { debug: 'info', log: 'info', info: 'info', warn: 'warn', error: 'error', trace: 'warn' } as const

/** Makes lines of the log of what libraries, Next above all, write to the console, and of warnings of Node. */
export function logConsole(): void {
  for (const [method, level] of Object.entries(LEVELS) as [keyof typeof LEVELS, 'info' | 'warn' | 'error'][]) {
    console[method] = (...args: unknown[]) => {
      const error = args.find((each) => each instanceof Error)
      const message = stripVTControlCharacters(format(...args.filter((each) => each !== error))).trim()
      if (error === undefined && message === '') return
      log[level]('console', { ...(message !== '' && { message }), ...(error !== undefined && causeOf(error)) })
    }
  }
  process.removeAllListeners('warning')
  process.on('warning', (warning) => log.warn('process.warning', causeOf(warning)))
  process.on('uncaughtException', (error) => {
    log.error('process.broke', causeOf(error))
    process.exit(1)
  })
}

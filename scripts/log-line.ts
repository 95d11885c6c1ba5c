import { styleText } from 'node:util'

const COLORS = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const

/** Fields that the prefix or the rest of the line already shows. */
const SHOWN = new Set(['time', 'level', 'event', 'process'])

/** Formats a JSON log line for people: time, level, event, `name=value`. Other text is returned unchanged. */
export function readableLine(line: string): string {
  const facts = factsOf(line)
  if (!facts) return line
  const level = String(facts['level'])
  const color = COLORS[level as keyof typeof COLORS] ?? 'white'
  const details = Object.entries(facts).filter(([name, value]) => !SHOWN.has(name) && value !== undefined)
  return [
    styleText('gray', String(facts['time']).slice(11, 19)),
    styleText(color, level.padEnd(5)),
    String(facts['event']),
    ...details.map(
      ([name, value]) => `${styleText('gray', `${name}=`)}${typeof value === 'string' ? value : JSON.stringify(value)}`,
    ),
  ].join(' ')
}

function factsOf(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const facts = JSON.parse(line) as Record<string, unknown>
    return 'event' in facts && 'level' in facts ? facts : undefined
  } catch {
    return undefined
  }
}

/** Median, minimum and maximum of several rounds. */
export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export interface Measure {
  readonly name: string
  readonly goal: string
  readonly direct?: Spread
  readonly nginx?: Spread
  /** The reference of the row, if not nginx. */
  readonly other?: Spread
  readonly gateway: Spread
  readonly ratio?: number
  readonly difference?: number
  /** Judges the ratio, else the difference, else the gateway's own median. Absent for rows without a goal. */
  readonly isMet?: (value: number) => boolean
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) }
}

/** Median of the ratios of each round; NaN without a reference. */
export function ratio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)))
}

function formatSpread({ median: middle, least, most }: Spread): string {
  if (Number.isNaN(middle)) return '–'
  const digits = Math.abs(middle) >= 100 ? 0 : Math.abs(middle) >= 10 ? 1 : 3
  const [a, b, c] = [middle, least, most].map((value) => value.toLocaleString('en', { maximumFractionDigits: digits }))
  return least === most ? (a ?? '') : `${a} (${b} to ${c})`
}

/** Formats the measures as a Markdown table. */
export function table(measures: readonly Measure[]): string {
  return [
    '| measure | goal | direct | nginx, or as named | gateway | ratio | met |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...measures.map(row),
  ].join('\n')
}

function verdict(value: number, isMet: Measure['isMet']): string {
  if (!isMet) return '–'
  if (Number.isNaN(value)) return 'not compared'
  return isMet(value) ? 'yes' : '**no**'
}

/** Formats one measure as a row of the table. */
export function row({ name, goal, direct, nginx, other, gateway, ratio: found, difference, isMet }: Measure): string {
  const value = found ?? difference ?? gateway.median
  const reference = nginx ?? other
  const cells = [
    name,
    goal,
    direct ? formatSpread(direct) : '–',
    reference ? formatSpread(reference) : '–',
    formatSpread(gateway),
    found === undefined ? (difference === undefined ? '–' : `+${difference.toFixed(1)}`) : found.toFixed(2),
    verdict(value, isMet),
  ]
  return `| ${cells.join(' | ')} |`
}

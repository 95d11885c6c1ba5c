/** The doctor's findings, and their output. Pure. */

export const AREAS = [
  'settings',
  'disk',
  'database',
  'clock',
  'redis',
  'keys',
  'tls',
  'processes',
  'proxy',
  'streaming',
  'jwks',
  'notion',
] as const
export type Area = (typeof AREAS)[number]

export interface Finding {
  readonly area: Area
  /**
   * - `error`: something does not work, or will stop working.
   * - `warning`: it works, but should be changed.
   * - `not_checked`: the title names the subject, the detail the reason.
   */
  readonly status: 'ok' | 'warning' | 'error' | 'not_checked'
  /** One sentence. */
  readonly title: string
  /** The consequence, and what to do. */
  readonly detail?: string
  /** The line to change: a setting, a line of a proxy's configuration, or a command. */
  readonly change?: string
}

type Details = Pick<Finding, 'detail' | 'change'>

/** Creates the findings of one area. */
export const findingsOf = (area: Area) => ({
  ok: (title: string, details: Details = {}): Finding => ({ area, status: 'ok', title, ...details }),
  warning: (title: string, details: Details = {}): Finding => ({ area, status: 'warning', title, ...details }),
  error: (title: string, details: Details = {}): Finding => ({ area, status: 'error', title, ...details }),
  notChecked: (title: string, detail: string): Finding => ({
    area,
    status: 'not_checked',
    title,
    detail: detail.charAt(0).toUpperCase() + detail.slice(1),
  }),
})

/** 1 if there is an error; warnings and unchecked subjects do not count. */
export const exitCodeOf = (findings: readonly Finding[]): 0 | 1 =>
  findings.some(({ status }) => status === 'error') ? 1 : 0

export function asText(findings: readonly Finding[]): string {
  const areas = AREAS.filter((area) => findings.some((finding) => finding.area === area))
  const paragraphs = areas.map((area) =>
    [area, ...findings.filter((finding) => finding.area === area).map(lineOf)].join('\n'),
  )
  return `${[...paragraphs, summaryOf(findings)].join('\n\n')}\n`
}

export function asJson(findings: readonly Finding[], release: string): string {
  return `${JSON.stringify({ release, exitCode: exitCodeOf(findings), findings }, undefined, 2)}\n`
}

const LABELS: Readonly<Record<Finding['status'], string>> = {
  ok: 'ok',
  warning: 'warning',
  error: 'ERROR',
  not_checked: 'not checked:',
}

const INDENT = ' '.repeat(11)

function lineOf({ status, title, detail, change }: Finding): string {
  const head = status === 'not_checked' ? `  ${LABELS[status]} ${title}` : `  ${LABELS[status].padEnd(8)} ${title}`
  return [
    head,
    ...(detail === undefined ? [] : detail.split('\n').map((line) => INDENT + line)),
    ...(change === undefined ? [] : change.split('\n').map((line) => `${INDENT}→ ${line}`)),
  ].join('\n')
}

function summaryOf(findings: readonly Finding[]): string {
  const count = (wanted: Finding['status']) => findings.filter(({ status }) => status === wanted).length
  const [errors, warnings, unchecked] = [count('error'), count('warning'), count('not_checked')]
  const plural = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`
  return `${plural(errors, 'error')}, ${plural(warnings, 'warning')}, ${unchecked} not checked.`
}

/** A shorter value may be an ordinary word; removing it everywhere would reveal it. */
const SHORTEST_SECRET = 12

/** The findings with these values removed from every text. Longer ones first: one may contain another. */
export function withoutSecrets(findings: readonly Finding[], secrets: readonly string[]): Finding[] {
  const values = [...new Set(secrets)]
    .filter(({ length }) => length >= SHORTEST_SECRET)
    .toSorted((a, b) => b.length - a.length)
  const clean = (text: string) => values.reduce((left, value) => left.replaceAll(value, '[secret]'), text)
  return findings.map((finding) => ({
    ...finding,
    title: clean(finding.title),
    ...(finding.detail !== undefined && { detail: clean(finding.detail) }),
    ...(finding.change !== undefined && { change: clean(finding.change) }),
  }))
}

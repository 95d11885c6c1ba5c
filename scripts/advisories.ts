import { execFile } from 'node:child_process'
import { repositoryRoot } from '../packages/process/src/index.ts'

const DEADLINE_MS = 30_000

interface AuditReport {
  readonly vulnerabilities?: Record<
    string,
    { readonly severity: string; readonly range: string; readonly isDirect: boolean }
  >
}

/**
 * The registry's advisories for the packages in package-lock.json, one per line, or the reason why they are unavailable. They change without a
 * change of this repository, so they do not fail the check.
 */
export async function advisories(): Promise<string> {
  const output = await new Promise<string>((resolve) => {
    // npm exits with 1 if there are advisories.
    execFile(
      'npm',
      ['audit', '--json', '--package-lock-only'],
      { cwd: repositoryRoot, timeout: DEADLINE_MS, maxBuffer: 64 * 1024 * 1024 },
      (_, stdout) => resolve(stdout),
    )
  })
  return advisoriesIn(output)
}

/** @param output of `npm audit --json`; an object with other members when the registry has no audit endpoint, or nothing at all. */
export function advisoriesIn(output: string): string {
  let report: AuditReport
  try {
    report = JSON.parse(output) as AuditReport
  } catch {
    return 'not checked: npm audit gave no answer'
  }
  if (!report.vulnerabilities) return 'not checked: the registry has no audit endpoint, or it does not answer'
  const found = Object.entries(report.vulnerabilities)
  if (found.length === 0) return 'none'
  const lines = found.map(
    ([name, { severity, range, isDirect }]) =>
      `\n       ${severity}: ${name} ${range}${isDirect ? '' : ' (not used directly)'}`,
  )
  return `${found.length}${lines.join('')}`
}

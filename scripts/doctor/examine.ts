import { trustOwnAuthorities } from './certificate-authorities.ts'
import { checkCertificates } from './certificates.ts'
import { checkClock } from './clock.ts'
import type { Check, Context, ProbeTarget } from './context.ts'
import { checkDatabase } from './database.ts'
import { openDatabases } from './databases.ts'
import { checkDisk } from './disk.ts'
import { readInstallation, secretsOf, type Environments } from './installation.ts'
import { checkJwks } from './jwks.ts'
import { checkKeys } from './keys.ts'
import { checkNotion } from './notion.ts'
import { probe, type Probe } from './probe.ts'
import { checkProcesses, codeOf } from './processes.ts'
import { checkProxy, checkStreaming } from './public-names.ts'
import { checkRedis } from './redis.ts'
import { AREAS, findingsOf, withoutSecrets, type Area, type Finding } from './report.ts'

const CHECKS: Readonly<Record<Exclude<Area, 'settings'>, Check>> = {
  disk: checkDisk,
  database: checkDatabase,
  clock: checkClock,
  redis: checkRedis,
  keys: checkKeys,
  tls: checkCertificates,
  processes: checkProcesses,
  proxy: checkProxy,
  streaming: checkStreaming,
  jwks: checkJwks,
  notion: checkNotion,
}

export interface ExamineOptions {
  /** All by default. The settings are always read. */
  readonly areas?: readonly Area[] | undefined
  readonly now?: () => number
  /** Planned number of processes; the running ones by default. */
  readonly gateways?: number | undefined
  readonly webs?: number | undefined
}

/** Examines an installation, one area after the other: the streaming probe measures time. Changes nothing in it. */
export async function examine(environments: Environments, options: ExamineOptions = {}): Promise<Finding[]> {
  const { areas = AREAS, now = Date.now, gateways, webs } = options
  const { installation, findings: aboutSettings } = await readInstallation(environments)
  const findings: Finding[] = [...aboutSettings]
  const endTrust = trustOwnAuthorities(environments)
  const databases = await openDatabases(installation)
  const context: Context = { installation, databases, now, gateways, webs, probes: remembered(now) }
  try {
    for (const area of AREAS) {
      if (area === 'settings' || !areas.includes(area)) continue
      findings.push(...(await CHECKS[area](context).catch((error: unknown) => [failed(area, error)])))
    }
  } finally {
    endTrust()
    await databases.close()
  }
  return withoutSecrets(findings, secretsOf(installation))
}

/** Only the code of an unexpected error: its message may contain secrets. */
const failed = (area: Area, error: unknown): Finding =>
  findingsOf(area).notChecked('The rest of this area', `The check failed (${codeOf(error)}).`)

function remembered(now: () => number): Context['probes'] {
  const done = new Map<string, Promise<Probe>>()
  return ({ process, origin, serviceToken }: ProbeTarget) => {
    const known = done.get(origin + process) ?? probe(process, origin, serviceToken, now)
    done.set(origin + process, known)
    return known
  }
}

import type { Databases } from './databases.ts'
import type { Installation } from './installation.ts'
import type { ProbedProcess } from './parts.ts'
import type { Probe } from './probe.ts'
import type { Finding } from './report.ts'

/** The input of every area. */
export interface Context {
  readonly installation: Installation
  readonly databases: Databases
  /** This machine's clock, in milliseconds. */
  readonly now: () => number
  /** Probes an address once; several areas share the result. */
  readonly probes: (target: ProbeTarget) => Promise<Probe>
  /** Planned number of processes; the running ones by default. */
  readonly gateways: number | undefined
  readonly webs: number | undefined
}

export interface ProbeTarget {
  readonly process: ProbedProcess
  readonly origin: string
  readonly serviceToken: string
}

export type Check = (context: Context) => Promise<Finding[]>

import type { Administration } from './administration.ts'
import type { OptionChanges, Options, Profile } from './options.ts'
import type { RecordedRequests } from './recorded-requests.ts'
import type { IssuedSecret } from './secrets.ts'
import type { Workspace } from './workspace/workspace.ts'

/** A running simulator. */
export type Simulator = {
  /** Origin, e.g. `http://localhost:9000`. */
  url: string
  mcpUrl: string
  profile: Profile
  /** Live: changes apply from the next request on. */
  options: Options
  /**
   * Changes `options` after validation. Each given option is replaced completely, except `metadata`, which is merged.
   *
   * @throws {Error} naming each unknown or invalid member; nothing is changed then.
   */
  setOptions(changes: OptionChanges): void
  /** The older name of `options`. */
  knobs: Options
  /** The older name of `setOptions`. */
  setKnobs(changes: OptionChanges): void
  /** The requests so far. Live, oldest first. */
  recorded: RecordedRequests
  clearRecorded(): void
  /** The older name of `recorded`. */
  seen: RecordedRequests
  /** The older name of `clearRecorded`. */
  resetSeen(): void
  /** Moves the simulator's time forward. */
  advance(ms: number): void
  now(): Date
  admin: Administration
  issuedSecrets(): readonly IssuedSecret[]
  workspaces: Workspace[]
  /** Restores the initial state: clock, options and workspaces; no issued secrets and no recorded requests. */
  reset(): Promise<void>
  /** Stops listening and closes all connections. */
  close(): Promise<void>
}

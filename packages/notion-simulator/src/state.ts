import { clientRegistry, type Clients } from './authorization/clients.ts'
import { grantStore, type Grants } from './authorization/grants.ts'
import { personalAccessTokens, type PersonalAccessTokens } from './authorization/personal-access-tokens.ts'
import { movableClock, type SimulatorClock } from './clock.ts'
import { defaultKnobs, type Knobs, type Profile } from './knobs.ts'
import { secretLedger, type SecretLedger } from './secrets.ts'
import { nothingSeen, type Seen } from './seen.ts'
import { seedWorkspaces } from './workspace/seed.ts'
import type { Workspace } from './workspace/workspace.ts'

/** Everything that one simulator knows. It lives in memory and ends with the process. */
export type State = {
  profile: Profile
  /** Origin under which it is reached, e.g. `http://localhost:9000`; set once it listens. */
  url: string
  clock: SimulatorClock
  knobs: Knobs
  seen: Seen
  ledger: SecretLedger
  clients: Clients
  grants: Grants
  personalAccessTokens: PersonalAccessTokens
  workspaces: Workspace[]
  /** Identity assertions that were presented; each is good once. */
  usedAssertions: Set<string>
}

export function newState(profile: Profile, clock: () => Date): State {
  const knobs = defaultKnobs(profile)
  const simulatorClock = movableClock(clock)
  const ledger = secretLedger()
  return {
    profile,
    url: '',
    clock: simulatorClock,
    knobs,
    seen: nothingSeen(),
    ledger,
    clients: clientRegistry(simulatorClock, knobs, ledger),
    grants: grantStore(simulatorClock, knobs, ledger),
    personalAccessTokens: personalAccessTokens(ledger),
    workspaces: seedWorkspaces(simulatorClock.now()),
    usedAssertions: new Set(),
  }
}

/** Now, as ISO 8601. */
export function timestamp(state: State): string {
  return new Date(state.clock.now()).toISOString()
}

export function mcpUrl(state: State): string {
  return `${state.url}/mcp`
}

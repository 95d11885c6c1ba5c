import { clientRegistry, type Clients } from './authorization/clients.ts'
import { grantStore, type Grants } from './authorization/grants.ts'
import { personalAccessTokens, type PersonalAccessTokens } from './authorization/personal-access-tokens.ts'
import { movableClock, type SimulatorClock } from './clock.ts'
import { defaultOptions, type Options, type Profile } from './options.ts'
import { createIssuedSecrets, type IssuedSecrets } from './secrets.ts'
import { noRequests, type RecordedRequests } from './recorded-requests.ts'
import { seedWorkspaces } from './workspace/seed.ts'
import type { Workspace } from './workspace/workspace.ts'

/** The state of one simulator, in memory. */
export type State = {
  profile: Profile
  /** The origin, e.g. `http://localhost:9000`; set when the server listens. */
  url: string
  clock: SimulatorClock
  options: Options
  recorded: RecordedRequests
  issuedSecrets: IssuedSecrets
  clients: Clients
  grants: Grants
  personalAccessTokens: PersonalAccessTokens
  workspaces: Workspace[]
  /** Identity assertions that were used; each can be used once. */
  usedAssertions: Set<string>
}

export function newState(profile: Profile, clock: () => Date): State {
  const options = defaultOptions(profile)
  const simulatorClock = movableClock(clock)
  const issuedSecrets = createIssuedSecrets()
  return {
    profile,
    url: '',
    clock: simulatorClock,
    options,
    recorded: noRequests(),
    issuedSecrets,
    clients: clientRegistry(simulatorClock, options, issuedSecrets),
    grants: grantStore(simulatorClock, options, issuedSecrets),
    personalAccessTokens: personalAccessTokens(issuedSecrets),
    workspaces: seedWorkspaces(simulatorClock.now()),
    usedAssertions: new Set(),
  }
}

/** The current time in ISO 8601. */
export function timestamp(state: State): string {
  return new Date(state.clock.now()).toISOString()
}

export function mcpUrl(state: State): string {
  return `${state.url}/mcp`
}

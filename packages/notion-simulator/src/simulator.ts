import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { administration, type Administration } from './administration.ts'
import { app } from './app.ts'
import { changeOptions, defaultOptions, type OptionChanges, type Options, type Profile } from './options.ts'
import { mcpEndpoint } from './mcp/endpoint.ts'
import { clearRequests, type RecordedRequests } from './recorded-requests.ts'
import { mcpUrl, newState } from './state.ts'
import type { IssuedSecret } from './secrets.ts'
import { seedWorkspaces } from './workspace/seed.ts'
import type { Workspace } from './workspace/workspace.ts'

export type SimulatorOptions = {
  /** Default 0: any free port. */
  port?: number
  /** Address to listen on. Default `localhost`. */
  host?: string
  /** Default `notion-2026-09`. */
  profile?: Profile
  /** Enables the control endpoint; a string is its required token. Default: disabled. */
  control?: boolean | string
  /** The underlying clock. Default: real time. */
  clock?: () => Date
  /** Changes to the profile's options. */
  options?: OptionChanges
  /** The older name of `options`. */
  knobs?: OptionChanges
}

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

/**
 * Starts a simulator, which keeps all data in memory.
 *
 * @throws the errors of `listen`, e.g. `EADDRINUSE`.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { port = 0, host = 'localhost', profile = 'notion-2026-09', clock = () => new Date() } = options
  const state = newState(profile, clock)
  const setOptions = (changes: OptionChanges) => changeOptions(state.options, changes)
  const setInitialOptions = () => setOptions({ ...options.knobs, ...options.options })
  setInitialOptions()
  const clearRecorded = () => clearRequests(state.recorded)
  const mcp = mcpEndpoint(state)
  const admin = administration(state, mcp)

  let simulator: Simulator
  const controlOptions = options.control
    ? { ...(typeof options.control === 'string' && { token: options.control }), simulator: () => simulator }
    : undefined
  const server = createAdaptorServer({
    fetch: app(state, mcp, controlOptions).fetch,
    overrideGlobalObjects: false,
  }) as Server // An HTTP/1 server, by default.
  server.requestTimeout = 0

  // A long accept queue: the kernel must not refuse simultaneous connections, as Notion's edge does not.
  server.listen({ port, host, backlog: 4096 })
  await once(server, 'listening')
  const address = server.address() as AddressInfo // It listens on a port, not on a pipe.
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  state.url = `http://${name.includes(':') ? `[${name}]` : name}:${address.port}`

  simulator = {
    url: state.url,
    mcpUrl: mcpUrl(state),
    profile,
    options: state.options,
    setOptions,
    knobs: state.options,
    setKnobs: setOptions,
    recorded: state.recorded,
    clearRecorded,
    seen: state.recorded,
    resetSeen: clearRecorded,
    advance: (ms) => state.clock.advance(ms),
    now: () => new Date(state.clock.now()),
    admin,
    issuedSecrets: () => state.issuedSecrets.all(),
    workspaces: state.workspaces,
    async reset() {
      await mcp.clear()
      state.clock.reset()
      Object.assign(state.options, defaultOptions(profile))
      setInitialOptions()
      state.grants.clear()
      state.clients.forget()
      state.personalAccessTokens.clear()
      state.usedAssertions.clear()
      state.issuedSecrets.clear()
      clearRecorded()
      state.workspaces.splice(0, state.workspaces.length, ...seedWorkspaces(state.clock.now()))
    },
    async close() {
      await mcp.clear()
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
  return simulator
}

import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { administration } from './administration.ts'
import { app } from './app.ts'
import { changeOptions, defaultOptions, type OptionChanges, type Profile } from './options.ts'
import { mcpEndpoint } from './mcp/endpoint.ts'
import { clearRequests } from './recorded-requests.ts'
import type { Simulator } from './running-simulator.ts'
import { mcpUrl, newState } from './state.ts'
import { seedWorkspaces } from './workspace/seed.ts'

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

/** Gateways in this process against a simulator, for tests of refreshes. */
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterEach, beforeEach, expect } from 'vitest'
import type { RefreshTimes } from '../../src/connections/refresh-schedule.ts'
import { startGateway, type GatewayTestOptions, type InProcessGateway } from './gateway.ts'

const HOURS_8 = 28_800

/** Starts a simulator before each test, and stops it and all gateways of the test afterwards. */
export function refreshSetup(times: RefreshTimes) {
  let notion: Simulator
  const running = new Set<InProcessGateway>()

  beforeEach(async () => {
    notion = await startSimulator({ options: { autoApprove: true, rateLimitPerMinute: null } })
  })
  afterEach(async () => {
    await Promise.all([...running].map(stop))
    await notion.close()
  })

  async function start({ env, ...options }: Partial<GatewayTestOptions> = {}): Promise<InProcessGateway> {
    const gateway = await startGateway({
      mcpUrl: notion.mcpUrl,
      failpoints: { times },
      env: { SHUTDOWN_GRACE_SECONDS: '0', ...env },
      ...options,
    })
    running.add(gateway)
    return gateway
  }

  async function stop(gateway: InProcessGateway): Promise<void> {
    running.delete(gateway)
    await gateway.stop()
  }

  /** Connects the space with an access token of this lifetime; later ones have the usual lifetime. */
  async function connect(gateway: InProcessGateway, space: string, lifetimeSeconds = HOURS_8): Promise<void> {
    notion.setOptions({ accessTtlSeconds: lifetimeSeconds })
    await gateway.connect(space)
    notion.setOptions({ accessTtlSeconds: HOURS_8 })
    notion.clearRecorded()
  }

  return {
    notion: () => notion,
    start,
    stop,
    connect,

    /** Connects the spaces and waits until their access tokens have expired. */
    async connectExpired(gateway: InProcessGateway, ...spaces: string[]): Promise<void> {
      for (const space of spaces) await connect(gateway, space, 1)
      for (const space of spaces) {
        const { tokenExpiresAt } = await gateway.connection(space)
        await expect
          .poll(() => Date.now() > Date.parse(tokenExpiresAt as string), { timeout: 20_000, interval: 50 })
          .toBe(true)
      }
      notion.clearRecorded()
    },

    /** Token requests with the grant type `refresh_token`. */
    refreshes: () => notion.recorded.tokenRequests.filter(({ grantType }) => grantType === 'refresh_token'),
  }
}

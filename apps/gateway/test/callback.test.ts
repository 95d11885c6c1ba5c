/** Repeated, premature and foreign requests of the OAuth callback. */
import { get } from 'node:http'
import { BINDING_COOKIE } from '@nmg/contract'
import { hasRedis, testRedisUrl } from '@nmg/process/testing'
import { startSimulator, type Simulator } from 'notion-simulator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGateway, type InProcessGateway } from './support/gateway.ts'

const BINDING = 'a-random-value-of-the-browser'
const MINE = { cookie: `${BINDING_COOKIE}=${BINDING}` }

let notion: Simulator
let spaces = 0
const newSpace = () => `space-${++spaces}`

beforeAll(async () => {
  notion = await startSimulator({ options: { autoApprove: true, rateLimitPerMinute: null } })
})
afterAll(() => notion.close())

describe.each(['the database', 'Redis'])('a callback whose request is kept in %s', (place) => {
  describe.skipIf(place === 'Redis' && !hasRedis())('a request', () => {
    let gateway: InProcessGateway
    beforeAll(async () => {
      const env = place === 'Redis' ? { REDIS_URL: await testRedisUrl() } : {}
      gateway = await startGateway({ mcpUrl: notion.mcpUrl, env })
    })
    afterAll(() => gateway.stop())

    /** The callback URL with code and state of an authorization request, which is bound to a browser by default. */
    async function callbackOf(space: string, more: Record<string, string> = { binding: BINDING }): Promise<string> {
      const { authorizeUrl } = await gateway.start(space, more)
      return (await fetch(authorizeUrl, { redirect: 'manual' })).headers.get('location') as string
    }
    const open = (url: string, headers: Record<string, string> = MINE, method = 'GET') =>
      fetch(url, { redirect: 'manual', headers, method })
    const end = async (response: Promise<Response>) => {
      const { status, headers } = await response
      const location = headers.get('location')
      return [status, location === null ? null : Object.fromEntries(new URL(location).searchParams)]
    }
    const connected = [303, expect.objectContaining({ status: 'success', mcp: 'connected' })]
    const refused = (error: string) => [303, expect.objectContaining({ status: 'error', error })]
    /** Sends headers as a browser does, which `fetch` does not allow. */
    const raw = (url: string, headers: Record<string, string>) =>
      new Promise<{ status: number | undefined; cache: string | undefined }>((resolve, reject) => {
        get(url, { headers: { ...MINE, ...headers } }, (response) => {
          response.resume()
          resolve({ status: response.statusCode, cache: response.headers['cache-control'] })
        }).on('error', reject)
      })

    it.each([
      { 'sec-purpose': 'prefetch' },
      { 'sec-purpose': 'prefetch;prerender' },
      { 'sec-purpose': 'prefetch;anonymous-client-ip' },
      { purpose: 'prefetch' },
      { purpose: 'preview' },
      { 'x-purpose': 'preview' },
      { 'x-moz': 'prefetch' },
    ])('of a prefetching browser (%j) does not redeem the state', async (headers: Record<string, string>) => {
      const url = await callbackOf(newSpace())
      notion.clearRecorded()
      expect(await raw(url, headers)).toEqual({ status: 503, cache: 'no-store' })
      expect(notion.recorded.tokenRequests).toEqual([])
      expect(await end(open(url))).toEqual(connected)
    })

    it('with HEAD does not redeem the state', async () => {
      const url = await callbackOf(newSpace())
      const response = await open(url, MINE, 'HEAD')
      expect([response.status, response.headers.get('cache-control')]).toEqual([503, 'no-store'])
      expect(await end(open(url))).toEqual(connected)
    })

    it('of a link scanner or another browser does not redeem the state', async () => {
      const url = await callbackOf(newSpace())
      notion.clearRecorded()
      for (const headers of [{}, { cookie: `${BINDING_COOKIE}=another` }, { cookie: `${BINDING_COOKIE}=` }]) {
        expect(await end(open(url, headers as Record<string, string>))).toEqual(refused('wrong_browser'))
      }
      expect(notion.recorded.tokenRequests).toEqual([])
      expect(await end(open(url))).toEqual(connected)
    })

    it('that is repeated gets the outcome of the first one', async () => {
      const url = await callbackOf(newSpace())
      notion.clearRecorded()
      const first = await end(open(url))
      expect(first).toEqual(connected)
      expect(await end(open(url))).toEqual(first)
      expect(await end(open(url, {}))).toEqual(refused('wrong_browser'))
      expect(notion.recorded.tokenRequests).toHaveLength(1)
    })

    it('sent ten times concurrently redeems the code once and always gets its outcome', async () => {
      const space = newSpace()
      const url = await callbackOf(space)
      notion.clearRecorded()
      notion.options.tokenFaults.push({ kind: 'slow', delayMs: 600 })
      const ends = await Promise.all(Array.from({ length: 10 }, () => end(open(url))))
      for (const one of ends) expect(one).toEqual(connected)
      expect(new Set(ends.map((one) => JSON.stringify(one))).size).toBe(1)
      expect(notion.recorded.tokenRequests).toHaveLength(1)
      expect((await gateway.history(space)).events).toHaveLength(1)
    })

    it('that is repeated after a failure gets the same failure', async () => {
      const url = await callbackOf(newSpace())
      notion.setOptions({ tokenResponse: { status: 503, on: 'authorization_code', times: 1 } })
      expect(await end(open(url))).toEqual(refused('authorization_unavailable'))
      notion.clearRecorded()
      expect(await end(open(url))).toEqual(refused('authorization_unavailable'))
      expect(notion.recorded.tokenRequests).toEqual([])
    })

    it('that is repeated without a binding gets unknown_state', async () => {
      const url = await callbackOf(newSpace(), {})
      expect(await end(open(url, {}))).toEqual(connected)
      expect(await end(open(url, {}))).toEqual(refused('unknown_state'))
    })

    it('with the code or state of another authorization redeems nothing', async () => {
      const [one, other] = [await callbackOf(newSpace()), await callbackOf(newSpace())]
      for (const change of ['', 'not-a-state']) {
        const url = new URL(one)
        url.searchParams.set('state', change)
        expect(await end(open(url.href))).toEqual(refused('unknown_state'))
      }
      const twice = new URL(one)
      twice.searchParams.append('state', new URL(other).searchParams.get('state') as string)
      expect(await end(open(twice.href))).toEqual(refused('unknown_state'))
      expect(await end(open(one))).toEqual(connected)
    })

    it('leaves no code in the stored outcome', async () => {
      const url = await callbackOf(newSpace())
      const response = await open(url)
      const { searchParams } = new URL(url)
      for (const name of ['code', 'state']) {
        expect(response.headers.get('location')).not.toContain(searchParams.get(name))
      }
    })
  })
})

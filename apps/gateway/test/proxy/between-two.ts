import { afterEach, beforeEach } from 'vitest'
import { type ProxySettings, type ProxyUnderTest, proxyUnderTest } from './proxy-under-test.ts'
import { type RawCaller, rawCaller } from './raw-caller.ts'
import { type RawUpstream, rawUpstream } from './raw-upstream.ts'

/** The proxy between two ends whose bytes are written and seen by hand. */
export interface Between {
  readonly upstream: RawUpstream
  readonly proxy: ProxyUnderTest
  /** The first caller; more are made with `another`. */
  readonly caller: RawCaller
  another(): Promise<RawCaller>
}

/** A fresh {@link Between} for each test of a file. */
export function betweenTwo(settings: ProxySettings = {}): Between {
  const ends: { upstream?: RawUpstream; proxy?: ProxyUnderTest; caller?: RawCaller } = {}
  const made: RawCaller[] = []

  beforeEach(async () => {
    ends.upstream = await rawUpstream()
    ends.proxy = await proxyUnderTest(ends.upstream.url, settings)
    ends.caller = await rawCaller(ends.proxy.port)
  })

  afterEach(async () => {
    for (const caller of [ends.caller, ...made.splice(0)]) caller?.socket.destroy()
    await ends.proxy?.close()
    await ends.upstream?.close()
  })

  function there<T>(end: T | undefined): T {
    if (!end) throw new Error('only within a test')
    return end
  }

  return {
    get upstream() {
      return there(ends.upstream)
    },
    get proxy() {
      return there(ends.proxy)
    },
    get caller() {
      return there(ends.caller)
    },
    async another() {
      const caller = await rawCaller(there(ends.proxy).port)
      made.push(caller)
      return caller
    },
  }
}

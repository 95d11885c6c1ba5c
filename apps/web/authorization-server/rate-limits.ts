/** How many requests one address may send to an endpoint. A whole team may be behind one address. */
const LIMITS: Readonly<Record<string, { readonly requests: number; readonly seconds: number }>> = {
  '/oauth2/register': { requests: 60, seconds: 600 },
  '/oauth2/authorize': { requests: 120, seconds: 60 },
  '/oauth2/token': { requests: 600, seconds: 60 },
  '/oauth2/revoke': { requests: 120, seconds: 60 },
}

/** More addresses than this are not told apart at once; the oldest are forgotten. */
const MOST_ADDRESSES = 50_000

export interface RateLimits {
  /** Counts a request. Undefined if it may pass; otherwise the seconds until the next one may. */
  count(path: string, address: string): number | undefined
}

/** Fixed windows, of this process. */
export function rateLimits(now: () => number = Date.now): RateLimits {
  const windows = new Map<string, { count: number; endsAt: number }>()
  return {
    count(path, address) {
      const limit = LIMITS[path]
      if (!limit) return undefined
      const name = `${path} ${address}`
      const current = windows.get(name)
      if (!current || current.endsAt <= now()) {
        windows.delete(name)
        windows.set(name, { count: 1, endsAt: now() + limit.seconds * 1000 })
        if (windows.size > MOST_ADDRESSES) windows.delete(windows.keys().next().value as string)
        return undefined
      }
      current.count++
      return current.count > limit.requests ? Math.max(1, Math.ceil((current.endsAt - now()) / 1000)) : undefined
    },
  }
}

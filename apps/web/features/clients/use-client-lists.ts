'use client'

import { useCallback, useEffect, useState } from 'react'
import { readLists } from './client-api.ts'
import type { ClientLists } from './client-lists.ts'

const EVERY_MS = 3_000

/** The user's keys and recent clients, polled while the page is visible. */
export function useClientLists(spaceId: string, initial: ClientLists) {
  const [lists, setLists] = useState(initial)
  const [isStale, setStale] = useState(false)

  const refresh = useCallback(async () => {
    try {
      setLists(await readLists(spaceId))
      setStale(false)
    } catch {
      setStale(true)
    }
  }, [spaceId])

  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void refresh()
    }, EVERY_MS)
    return () => clearInterval(timer)
  }, [refresh])

  return { lists, isStale, refresh }
}

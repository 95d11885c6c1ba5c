'use client'

import { useCallback, useEffect, useSyncExternalStore } from 'react'
import { draftStore, type DraftStore, type DraftTrouble } from './draft-store.ts'

/** One for each user of this tab: a draft that the storage does not take is in its memory. */
const stores = new Map<string, DraftStore>()

/** The drafts of a user in this browser. In the browser only. */
export function draftsOf(userId: string): DraftStore {
  const known = stores.get(userId)
  if (known) return known
  const store = draftStore(userId, browserStorage())
  stores.set(userId, store)
  window.addEventListener('storage', () => store.noticeChange())
  return store
}

function browserStorage(): Storage | undefined {
  try {
    return window.localStorage
  } catch {
    return undefined
  }
}

export interface Draft<T> {
  /** Undefined without a draft, and until the page has become interactive. */
  readonly value: T | undefined
  /** Why it would not survive a reload. */
  readonly trouble: DraftTrouble | undefined
  save(value: T): void
  remove(): void
}

/**
 * Unsent input under a name, shared by the tabs of this browser. A draft that could not be stored holds up leaving the page.
 *
 * @param parse validates what was stored; must return the same result for the same input. Undefined counts as no draft.
 */
export function useDraft<T>(userId: string, name: string, parse: (stored: unknown) => T | undefined): Draft<T> {
  const subscribe = useCallback((listener: () => void) => draftsOf(userId).subscribe(listener), [userId])
  const text = useSyncExternalStore(
    subscribe,
    () => draftsOf(userId).readText(name),
    () => undefined,
  )
  const trouble = useSyncExternalStore(
    subscribe,
    () => draftsOf(userId).trouble(name),
    () => undefined,
  )
  useEffect(() => {
    if (!trouble) return
    const onLeave = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', onLeave)
    return () => window.removeEventListener('beforeunload', onLeave)
  }, [trouble])
  const save = useCallback((value: T) => draftsOf(userId).save(name, value), [userId, name])
  const remove = useCallback(() => draftsOf(userId).remove(name), [userId, name])
  return { value: text === undefined ? undefined : parse(draftsOf(userId).read(name)), trouble, save, remove }
}

/** What the user has to know about a draft that exists in this tab only. */
export const draftTroubleTexts: Record<DraftTrouble, string> = {
  full: 'Your browser’s storage is full, so this draft isn’t saved. Send or copy it before you leave the page.',
  unavailable:
    'Your browser doesn’t allow storage, so this draft isn’t saved. Send or copy it before you leave the page.',
}

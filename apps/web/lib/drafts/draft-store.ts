/** Days after which an unsent draft is removed from the browser. */
const KEEP_DAYS = 30

const DAY_MS = 24 * 60 * 60 * 1_000

/** All drafts of this browser, of every user. */
const PREFIX = 'nmg-draft:'

/** Why a draft exists only in this tab: the browser's storage is full, or it is switched off or forbidden. */
export type DraftTrouble = 'full' | 'unavailable'

export type DraftStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>

/** Unsent input of one user in this browser. Values are JSON; nothing of them is ever sent to the server. */
export interface DraftStore {
  /** The draft as it was saved last, in whichever tab; undefined without one. Validate it: another version may have written it. */
  read(name: string): unknown
  /** The same as JSON text, which stays identical until the draft changes. */
  readText(name: string): string | undefined
  /** Keeps the value, in memory alone when the browser's storage does not take it; see {@link trouble}. */
  save(name: string, value: unknown): void
  remove(name: string): void
  /** Why this draft would not survive a reload; undefined when it would. */
  trouble(name: string): DraftTrouble | undefined
  /** Names of this user's drafts. */
  names(): readonly string[]
  /** Removes all drafts of this user, for signing out. */
  clear(): void
  /** Calls `listener` when a draft of this user changed, here or in another tab. Returns a function that ends it. */
  subscribe(listener: () => void): () => void
  /** Takes notice of a change that another tab made. */
  noticeChange(): void
}

interface Kept {
  readonly text: string
  readonly trouble: DraftTrouble
}

/**
 * @param storage undefined where the browser offers none. It may throw in any call.
 * @param now milliseconds since 1970.
 */
export function draftStore(
  userId: string,
  storage: DraftStorage | undefined,
  now: () => number = Date.now,
): DraftStore {
  const prefix = `${PREFIX}${userId}:`
  /** What the storage did not take. It wins over an older version there. */
  const inMemory = new Map<string, Kept>()
  const listeners = new Set<() => void>()
  const notify = () => listeners.forEach((listener) => listener())
  const keys = (start: string) =>
    attempt(() =>
      Array.from({ length: storage?.length ?? 0 }, (_, index) => storage?.key(index) ?? '').filter((key) =>
        key.startsWith(start),
      ),
    ) ?? []
  const stored = (key: string) => attempt(() => storage?.getItem(key)) ?? undefined

  for (const key of keys(PREFIX)) {
    if (now() - savedAt(stored(key)) > KEEP_DAYS * DAY_MS) attempt(() => storage?.removeItem(key))
  }

  const readText = (name: string) => inMemory.get(name)?.text ?? bodyOf(stored(prefix + name))
  return {
    readText,
    read: (name) => parsed(readText(name)),
    save(name, value) {
      const text = JSON.stringify(value)
      try {
        if (!storage) throw new Error('This browser has no storage.')
        storage.setItem(prefix + name, `${now()} ${text}`)
        inMemory.delete(name)
      } catch (error) {
        inMemory.set(name, { text, trouble: isFull(error) ? 'full' : 'unavailable' })
      }
      notify()
    },
    remove(name) {
      inMemory.delete(name)
      attempt(() => storage?.removeItem(prefix + name))
      notify()
    },
    trouble: (name) => inMemory.get(name)?.trouble,
    names: () => [...new Set([...keys(prefix).map((key) => key.slice(prefix.length)), ...inMemory.keys()])],
    clear() {
      inMemory.clear()
      for (const key of keys(prefix)) attempt(() => storage?.removeItem(key))
      notify()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    noticeChange: notify,
  }
}

/** Stored drafts are the time of saving, a space, and the JSON. */
const savedAt = (record: string | undefined): number => Number(/^\d+/.exec(record ?? '')?.[0] ?? 0)

const bodyOf = (record: string | undefined): string | undefined =>
  record === undefined ? undefined : record.slice(record.indexOf(' ') + 1)

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined
  return attempt(() => JSON.parse(text) as unknown)
}

/** Browsers throw where storage is switched off, and differ in the call that does. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

const isFull = (error: unknown): boolean =>
  error instanceof Error && ['QuotaExceededError', 'NS_ERROR_DOM_QUOTA_REACHED'].includes(error.name)

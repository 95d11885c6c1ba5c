import { describe, expect, it } from 'vitest'
import { draftStore, type DraftStorage } from './draft-store.ts'

const DAY_MS = 24 * 60 * 60 * 1_000

/** The browser's storage: shared by the tabs, with a limit in characters. */
function memoryStorage({ limit = Infinity } = {}): DraftStorage {
  const items = new Map<string, string>()
  return {
    get length() {
      return items.size
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    removeItem: (key) => void items.delete(key),
    setItem(key, value) {
      if (value.length > limit) throw new DOMException('full', 'QuotaExceededError')
      items.set(key, value)
    },
  }
}

const forbidden: DraftStorage = {
  get length(): number {
    throw new DOMException('no', 'SecurityError')
  },
  key: () => {
    throw new DOMException('no', 'SecurityError')
  },
  getItem: () => {
    throw new DOMException('no', 'SecurityError')
  },
  setItem: () => {
    throw new DOMException('no', 'SecurityError')
  },
  removeItem: () => {
    throw new DOMException('no', 'SecurityError')
  },
}

describe('a draft', () => {
  it.each([
    '',
    'text',
    '"quoted" \\ {"a":1}',
    '\u0000\u202e\ud800',
    '1 2 3',
    'x'.repeat(200_000),
    null,
    [1, { a: 'b' }],
    false,
  ])('survives a reload unchanged: %j', (value) => {
    const storage = memoryStorage()
    draftStore('ada', storage).save('chat:1', value)
    expect(draftStore('ada', storage).read('chat:1')).toEqual(value)
  })

  it('belongs to its user and its name', () => {
    const storage = memoryStorage()
    draftStore('ada', storage).save('chat:1', 'mine')
    expect(draftStore('ben', storage).read('chat:1')).toBeUndefined()
    expect(draftStore('ada', storage).read('chat:2')).toBeUndefined()
    expect(draftStore('ada', storage).names()).toEqual(['chat:1'])
    expect(draftStore('ben', storage).names()).toEqual([])
  })

  it('is removed by itself, or with all of its user’s, and of nobody else', () => {
    const storage = memoryStorage()
    const ada = draftStore('ada', storage)
    draftStore('ben', storage).save('chat:1', 'Ben’s')
    for (const name of ['a', 'b', 'c']) ada.save(name, name)
    ada.remove('b')
    expect(ada.names()).toEqual(['a', 'c'])
    ada.clear()
    expect(ada.names()).toEqual([])
    expect(draftStore('ben', storage).read('chat:1')).toBe('Ben’s')
  })

  it('is kept for 30 days after it was changed last', () => {
    const storage = memoryStorage()
    let now = 0
    const open = () => draftStore('ada', storage, () => now)
    open().save('old', 1)
    now = 10 * DAY_MS
    open().save('newer', 2)
    now = 30 * DAY_MS
    expect(open().names()).toEqual(['old', 'newer'])
    now += 1
    expect(open().names()).toEqual(['newer'])
  })

  it('is removed after 30 days also for a user who never returns', () => {
    const storage = memoryStorage()
    draftStore('ada', storage, () => 1).save('old', 1)
    draftStore('ben', storage, () => 31 * DAY_MS)
    expect(draftStore('ada', storage, () => 1).names()).toEqual([])
  })

  it.each([
    ['full', memoryStorage({ limit: 20 })],
    ['unavailable', forbidden],
    ['unavailable', undefined],
  ] as const)('stays in memory where the storage is %s, and says so', (trouble, storage) => {
    const store = draftStore('ada', storage)
    store.save('chat:1', 'x'.repeat(100))
    expect(store.read('chat:1')).toBe('x'.repeat(100))
    expect(store.trouble('chat:1')).toBe(trouble)
    expect(store.names()).toEqual(['chat:1'])
    store.clear()
    expect(store.read('chat:1')).toBeUndefined()
  })

  it('is no longer in trouble once it fits', () => {
    const store = draftStore('ada', memoryStorage({ limit: 40 }))
    store.save('chat:1', 'x'.repeat(100))
    store.save('chat:1', 'short')
    expect(store.trouble('chat:1')).toBeUndefined()
  })

  it('shows its newest version in every tab, and tells of each change', () => {
    const storage = memoryStorage()
    const [left, right] = [draftStore('ada', storage), draftStore('ada', storage)]
    let changes = 0
    const end = right.subscribe(() => changes++)
    left.save('chat:1', 'from the left')
    right.noticeChange()
    expect(right.read('chat:1')).toBe('from the left')
    right.save('chat:1', 'from the right')
    expect(left.read('chat:1')).toBe('from the right')
    end()
    right.remove('chat:1')
    expect(changes).toBe(2)
  })

  it('that something else wrote is no draft', () => {
    const storage = memoryStorage()
    storage.setItem('nmg-draft:ada:chat:1', `${Date.now()} {broken`)
    expect(draftStore('ada', storage).read('chat:1')).toBeUndefined()
  })
})

import { describe, expect, it } from 'vitest'
import { batched } from './batched.ts'

/** A look-up that completes when the test calls `end`. */
function slowLoad() {
  const asked: { keys: readonly number[]; end: (error?: Error) => void }[] = []
  const load = (keys: readonly number[]) =>
    new Promise<(string | undefined)[]>((resolve, reject) => {
      const end = (error?: Error) =>
        error ? reject(error) : resolve(keys.map((key) => (key % 2 === 0 ? `value ${key}` : undefined)))
      asked.push({ keys, end })
    })
  return { asked, load }
}
const limits = { atOnce: 1, keysPerBatch: 3, waiting: 5 }

describe('a batched look-up', () => {
  it('loads the keys requested during a running look-up together and resolves each to its own value', async () => {
    const { asked, load } = slowLoad()
    const find = batched(load, limits)
    const found = [0, 1, 2, 3, 4].map(find)
    expect(asked.map(({ keys }) => keys)).toEqual([[0]])
    asked[0]?.end()
    await expect.poll(() => asked.map(({ keys }) => keys)).toEqual([[0], [1, 2, 3]])
    asked[1]?.end()
    await expect.poll(() => asked.length).toBe(3)
    asked[2]?.end()
    expect(await Promise.all(found)).toEqual(['value 0', undefined, 'value 2', undefined, 'value 4'])
  })

  it('rejects only the callers of the batch that failed', async () => {
    const { asked, load } = slowLoad()
    const find = batched(load, limits)
    const first = find(0)
    const second = find(2)
    asked[0]?.end(new Error('away'))
    await expect(first).rejects.toThrow('away')
    asked[1]?.end()
    expect(await second).toBe('value 2')
  })

  it('rejects a caller with overloaded when the queue is full', async () => {
    const { asked, load } = slowLoad()
    const find = batched(load, limits)
    const found = [0, 2, 4, 6, 8, 10].map(find)
    await expect(find(12)).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 1 })
    for (let i = 0; i < 3; i++) {
      await expect.poll(() => asked.length).toBe(i + 1)
      asked[i]?.end()
    }
    expect(await Promise.all(found)).toHaveLength(6)
  })
})

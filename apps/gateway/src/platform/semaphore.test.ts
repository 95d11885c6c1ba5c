import { describe, expect, it } from 'vitest'
import { Semaphore } from './semaphore.ts'

/** Tasks that complete when the test settles them. */
function tasks() {
  const started: { name: string; resolve: () => void; reject: (error: Error) => void }[] = []
  const task = (name: string) => () =>
    new Promise<string>((resolve, reject) => started.push({ name, resolve: () => resolve(name), reject }))
  return { started, task, names: () => started.map(({ name }) => name) }
}

describe('a semaphore', () => {
  it('runs at most its permits concurrently and the rest in order of arrival', async () => {
    const semaphore = new Semaphore(2, 10, 'full')
    const { started, task, names } = tasks()
    const results = ['a', 'b', 'c', 'd'].map((name) => semaphore.run(task(name)))
    await expect.poll(names).toEqual(['a', 'b'])
    started[1]?.resolve()
    await expect.poll(names).toEqual(['a', 'b', 'c'])
    started[0]?.resolve()
    await expect.poll(names).toEqual(['a', 'b', 'c', 'd'])
    for (const { resolve } of started) resolve()
    expect(await Promise.all(results)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('rejects with overloaded when its queue is full, and recovers', async () => {
    const semaphore = new Semaphore(1, 1, 'Too many.')
    const { started, task, names } = tasks()
    const first = semaphore.run(task('a'))
    const second = semaphore.run(task('b'))
    await expect(semaphore.run(task('c'))).rejects.toMatchObject({
      code: 'overloaded',
      message: 'Too many.',
      retryAfterSeconds: 1,
    })
    started[0]?.resolve()
    await expect.poll(names).toEqual(['a', 'b'])
    started[1]?.resolve()
    expect(await Promise.all([first, second])).toEqual(['a', 'b'])
    const third = semaphore.run(task('d'))
    await expect.poll(names).toEqual(['a', 'b', 'd'])
    started[2]?.resolve()
    expect(await third).toBe('d')
  })

  it('releases the permit of a task that rejects', async () => {
    const semaphore = new Semaphore(1, 1, 'full')
    const { started, task, names } = tasks()
    const failed = semaphore.run(task('a'))
    const next = semaphore.run(task('b'))
    await expect.poll(names).toEqual(['a'])
    started[0]?.reject(new Error('broken'))
    await expect(failed).rejects.toThrow('broken')
    await expect.poll(names).toEqual(['a', 'b'])
    started[1]?.resolve()
    expect(await next).toBe('b')
  })
})

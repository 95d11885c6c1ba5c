/** Coordination of the sealing key among replicas. */
import { testDatabase } from '@nmg/process/testing'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { migrate, openPool, type Database } from '../src/platform/database.ts'
import { joinReplicas, type Replicas } from '../src/connections/keys/postgres-replicas.ts'
import { jsonLog } from '../src/platform/log.ts'

const log = jsonLog('silent')
const open: Database[] = []
let database: Database

beforeEach(async () => {
  const { url } = await testDatabase()
  await migrate(url)
  database = openPool(url, log)
  open.push(database)
})
afterAll(async () => {
  await Promise.all(open.map((one) => one.end()))
})

const join = (...[first, ...others]: [string, ...string[]]): Promise<Replicas> =>
  joinReplicas(database, [`${first}:1`, ...others.map((key) => `${key}:1`)], log)

/** Moves the last renewal of all replicas into the past. */
const age = (seconds: number) =>
  database.query('update gateway.replicas set seen_at = seen_at - make_interval(secs => $1)', [seconds])

const refusal = (key: string) =>
  expect.objectContaining({ code: 'sealed_value_unreadable', message: expect.stringContaining(`"${key}"`) as string })

describe('the sealing key', () => {
  it('can be added, promoted and removed in turn', async () => {
    const [one, two] = [await join('old'), await join('old')]
    await one.leave()
    const added = await join('old', 'new')
    await two.leave()
    const promoted = await join('new', 'old')
    expect([added.sealing(), promoted.sealing()]).toEqual(['old:1', 'new:1'])
    await expect(join('new')).rejects.toEqual(refusal('old'))
    await added.leave()
    expect((await join('new')).sealing()).toBe('new:1')
  })

  it('stays the old one while a live replica lacks the new one', async () => {
    const old = await join('old')
    const next = await join('new', 'old')
    expect(next.sealing()).toBe('old:1')
    expect([await next.renew(), next.sealing()]).toEqual([false, 'old:1'])
    await old.leave()
    expect([await next.renew(), next.sealing()]).toEqual([true, 'new:1'])
    await expect(join('old')).rejects.toEqual(refusal('new'))
  })

  it.each([
    [29, 'old:1'],
    [31, 'new:1'],
  ])('depends on a replica last seen %d seconds ago only while that is live', async (seconds, expected) => {
    await join('old')
    await age(seconds)
    expect((await join('new', 'old')).sealing()).toBe(expected)
  })

  it('is distinguished from another key of the same name', async () => {
    await joinReplicas(database, ['key1:1'], log)
    await expect(joinReplicas(database, ['key1:2'], log)).rejects.toEqual(refusal('key1'))
  })

  it('can be opened by all replicas, in whatever order they join', async () => {
    const lists: [string, ...string[]][] = [['old'], ['new', 'old'], ['old', 'new'], ['new'], ['new', 'old'], ['old']]
    const settled = await Promise.allSettled(lists.map((keys) => join(...keys)))
    const joined = settled.flatMap((one, at) =>
      one.status === 'fulfilled' ? [{ replica: one.value, keys: lists[at] }] : [],
    )
    for (const one of joined) {
      await one.replica.renew()
      for (const { keys } of joined) expect(keys).toContain(one.replica.sealing().replace(':1', ''))
    }
    expect(joined.length).toBeGreaterThan(2)
  })

  it('reverts to the old one when a replica without the new one resumes', async () => {
    const asleep = await join('old')
    await age(60)
    const awake = await join('new', 'old')
    expect(awake.sealing()).toBe('new:1')
    await asleep.renew()
    await awake.renew()
    expect(awake.sealing()).toBe('old:1')
  })
})

import { describe, expect, it } from 'vitest'
import { explore, type Assumption, type Mistake } from './model.ts'

const isLong = process.env['SOAK'] !== undefined

describe('the refresh protocol in every reachable state', () => {
  it.each([
    ['one replica and repeated consents', 1, true],
    ['two replicas and repeated consents', 2, true],
    ['three replicas', 3, false],
    ...(isLong ? ([['three replicas and repeated consents', 3, true]] as const) : []),
  ] as const)('loses no grant and reaches a good end with %s', { timeout: 600_000 }, (_title, replicas, consents) => {
    const { violation, states } = explore({ replicas, consents })
    expect(violation).toBeUndefined()
    expect(states).toBeGreaterThan(100)
  })

  it('does so without the lock as well, since safety rests on the intent', () => {
    expect(explore({ replicas: 2, consents: true, without: 'no lock' }).violation).toBeUndefined()
  })
})

describe('the model detects', () => {
  it.each<[Mistake, string]>([
    ['no intent', 'the same refresh token is in flight twice'],
    ['no second read under the lock', 'the stored refresh token is retired'],
    ['no fencing of the append', 'the stored refresh token is retired'],
    ['fencing by the version only', 'the stored refresh token is retired'],
    ['no tombstone', 'a refresh token is presented after its final refusal was stored'],
    ['no check of the permit', 'the same refresh token is in flight twice'],
    ['an intent is taken over at once', 'the same refresh token is in flight twice'],
    ['an intent is never taken over', 'no good end is reachable'],
    ['used before it is stored', 'a pair is used before it is stored'],
    ['a lost response counts as a refusal', 'the connection is given up although the grant is active'],
  ])('%s', (without, what) => {
    const { violation } = explore({ replicas: 2, consents: true, without })
    expect(violation?.what).toBe(what)
    expect(violation?.path.length).toBeGreaterThan(3)
  })
})

describe('the protocol requires the assumptions of docs/refresh.md:', () => {
  it.each<Assumption>(['an aborted request is not processed later', 'the server decides in time'])(
    '%s',
    (notAssuming) => {
      expect(explore({ replicas: 2, notAssuming }).violation?.what).toBe('the same refresh token is in flight twice')
    },
  )
})

import { describe, expect, it } from 'vitest'
import { explore, type Assumption, type Mistake } from './model.ts'

const isLong = process.env['SOAK'] !== undefined

describe('the refresh protocol, in every state that it can get into', () => {
  it.each([
    ['one replica, and people who consent again', 1, true],
    ['two replicas, and people who consent again', 2, true],
    ['three replicas', 3, false],
    ...(isLong ? ([['three replicas, and people who consent again', 3, true]] as const) : []),
  ] as const)('loses no grant and ends well, with %s', { timeout: 600_000 }, (_title, replicas, consents) => {
    const { violation, states } = explore({ replicas, consents })
    expect(violation).toBeUndefined()
    expect(states).toBeGreaterThan(100)
  })

  it('does so without the lock as well: what nobody else can undo rests on the intent', () => {
    expect(explore({ replicas: 2, consents: true, without: 'no lock' }).violation).toBeUndefined()
  })
})

describe('the model notices', () => {
  it.each<[Mistake, string]>([
    ['no intent', 'the same refresh token is under way twice'],
    ['no reading again under the lock', 'the stored refresh token is dead'],
    ['no fencing of the append', 'the stored refresh token is dead'],
    ['no fencing by the lock, only by the version', 'the stored refresh token is dead'],
    ['no tombstone', 'a refresh token is presented after its final refusal was stored'],
    ['no check of the entitlement', 'the same refresh token is under way twice'],
    ['an intent is taken over at once', 'the same refresh token is under way twice'],
    ['an intent is never taken over', 'there is no way to a good end from here'],
    ['used before it is stored', 'a pair is used before it is stored'],
    ['a lost answer is taken for a refusal', 'the connection is given up although nobody ended the grant'],
  ])('%s', (without, what) => {
    const { violation } = explore({ replicas: 2, consents: true, without })
    expect(violation?.what).toBe(what)
    expect(violation?.path.length).toBeGreaterThan(3)
  })
})

describe('the protocol relies on what docs/refresh.md says that it relies on', () => {
  it.each<Assumption>(['what broke off is over', 'the server decides in time'])('%s', (notAssuming) => {
    expect(explore({ replicas: 2, notAssuming }).violation?.what).toBe('the same refresh token is under way twice')
  })
})

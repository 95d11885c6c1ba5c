import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type InFlight, InFlightSet } from './in-flight-set.ts'

it('holds what was added and not yet deleted, in whatever order that happened', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9))), (steps) => {
      const items = Array.from({ length: 10 }, (): InFlight => ({ index: -1 }))
      const roster = new InFlightSet<InFlight>()
      const expected = new Set<InFlight>()
      for (const [isAdded, n] of steps) {
        const item = items[n] as InFlight
        if (isAdded && !expected.has(item)) roster.add(item)
        if (!isAdded) roster.delete(item)
        if (isAdded) expected.add(item)
        else expected.delete(item)
        expect(roster.size).toBe(expected.size)
        expect(new Set(roster)).toEqual(expected)
      }
    }),
  )
})

it('can be emptied while it is gone through', () => {
  const roster = new InFlightSet<InFlight>()
  for (let i = 0; i < 5; i++) roster.add({ index: -1 })
  let count = 0
  for (const item of roster) {
    count++
    roster.delete(item)
  }
  expect([count, roster.size]).toEqual([5, 0])
})

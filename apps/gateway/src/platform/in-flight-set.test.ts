import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type InFlightItem, InFlightSet } from './in-flight-set.ts'

it('holds the items added and not yet deleted after any sequence of both', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9))), (steps) => {
      const items = Array.from({ length: 10 }, (): InFlightItem => ({ inFlightIndex: -1 }))
      const inFlight = new InFlightSet<InFlightItem>()
      const expected = new Set<InFlightItem>()
      for (const [isAdded, n] of steps) {
        const item = items[n] as InFlightItem
        if (isAdded && !expected.has(item)) inFlight.add(item)
        if (!isAdded) inFlight.delete(item)
        if (isAdded) expected.add(item)
        else expected.delete(item)
        expect(inFlight.size).toBe(expected.size)
        expect(new Set(inFlight)).toEqual(expected)
      }
    }),
  )
})

it('allows its items to be deleted during iteration', () => {
  const inFlight = new InFlightSet<InFlightItem>()
  for (let i = 0; i < 5; i++) inFlight.add({ inFlightIndex: -1 })
  let count = 0
  for (const item of inFlight) {
    count++
    inFlight.delete(item)
  }
  expect([count, inFlight.size]).toEqual([5, 0])
})

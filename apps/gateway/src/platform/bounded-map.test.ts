import { expect, it } from 'vitest'
import { BoundedMap } from './bounded-map.ts'

it('evicts the key that was set least recently when it is full', () => {
  const map = new BoundedMap<string, number>(2)
  map.set('a', 1).set('b', 2).set('a', 3).set('c', 4)
  expect([...map]).toEqual([
    ['a', 3],
    ['c', 4],
  ])
})

it('keeps a key that is deleted and set again', () => {
  const map = new BoundedMap<string, number>(2)
  map.set('a', 1).set('b', 2)
  map.delete('a')
  map.set('c', 3).set('a', 4)
  expect([...map.keys()]).toEqual(['c', 'a'])
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@nmg/process'
import { describe, expect, it } from 'vitest'
import { namesIn, retiredIn } from '../scripts/retired-names.ts'

const NAMES = new Set(['Roster', 'tryTake'])

describe('the check of retired names', () => {
  it.each([
    ['class Roster {}', ['1: Roster']],
    ['export interface Roster<T> {', ['1: Roster']],
    ['export type Roster = string', ['1: Roster']],
    ['async function tryTake(): Promise<void> {', ['1: tryTake']],
    ['export const tryTake = () => 1', ['1: tryTake']],
    ['\n  let tryTake = 1', ['2: tryTake']],
  ])('rejects the declaration %j', (source, expected) => {
    expect(retiredIn(source, NAMES)).toEqual(expected)
  })

  it.each([
    'lock.tryTake()',
    '// const tryTake = 1',
    ' * the function tryTake',
    'class Rosters {}',
    'const tryTaken = 1',
  ])('accepts %j, which declares none of them', (source) => {
    expect(retiredIn(source, NAMES)).toEqual([])
  })

  it('reads a list that is sorted and names nothing twice', () => {
    const names = namesIn(readFileSync(join(repositoryRoot, 'scripts/retired-names.txt'), 'utf8'))
    expect(names.length).toBeGreaterThan(40)
    expect(names).toEqual([...new Set(names)].toSorted())
  })
})

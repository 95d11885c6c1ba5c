import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@nmg/process'
import { describe, expect, it } from 'vitest'
import { namesIn, retiredIn } from '../scripts/retired-names.ts'

const NAMES = new Set(['OldName', 'oldName'])

describe('the check of retired names', () => {
  it.each([
    ['class OldName {}', ['1: OldName']],
    ['export interface OldName<T> {', ['1: OldName']],
    ['export type OldName = string', ['1: OldName']],
    ['async function oldName(): Promise<void> {', ['1: oldName']],
    ['export const oldName = () => 1', ['1: oldName']],
    ['\n  let oldName = 1', ['2: oldName']],
  ])('rejects the declaration %j', (source, expected) => {
    expect(retiredIn(source, NAMES)).toEqual(expected)
  })

  it.each([
    'lock.oldName()',
    '// const oldName = 1',
    ' * the function oldName',
    'class OldNames {}',
    'const oldNamed = 1',
  ])('accepts %j, which declares no retired name', (source) => {
    expect(retiredIn(source, NAMES)).toEqual([])
  })

  it('reads a sorted list without duplicates', () => {
    const names = namesIn(readFileSync(join(repositoryRoot, 'scripts/retired-names.txt'), 'utf8'))
    expect(names.length).toBeGreaterThan(40)
    expect(names).toEqual([...new Set(names)].toSorted())
  })
})

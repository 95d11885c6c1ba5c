import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@nmg/process'
import { describe, expect, it } from 'vitest'
import { titlePattern } from '../scripts/mutation-run.ts'
import { mutations } from './mutations/all.ts'
import { faultOf, LAWS } from './requirements.ts'

const occurrences = (text: string, part: string) => text.split(part).length - 1

describe('the mutations of npm run test:mutations', () => {
  it('break each law in at least three ways', () => {
    const count = (law: string) => mutations.filter((mutation) => mutation.law === law).length
    expect(LAWS.filter((law) => count(law) < 3)).toEqual([])
  })

  it.each(mutations)('$law: $fault: replaces a text that is there once, and names a test that exists', (mutation) => {
    const { file, text, replacement, test } = mutation
    expect(occurrences(readFileSync(join(repositoryRoot, file), 'utf8'), text)).toBe(1)
    expect(replacement).not.toBe(text)
    expect(faultOf({ title: undefined, ...test })).toBeUndefined()
  })

  it.each([
    ['counts "%s" as sent', 'a group counts "x" as sent', true],
    ['is %i: $name may (run)', 'is 3: release 7 may (run)', true],
    ['is refused', 'is refused twice', false],
  ])('find the tests of the title %j: %j %s', (title, fullName, expected) => {
    expect(new RegExp(titlePattern(title)).test(fullName)).toBe(expected)
  })
})

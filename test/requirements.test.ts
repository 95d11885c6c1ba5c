import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '@nmg/process'
import { describe, expect, it } from 'vitest'
import { faultOf, hasTitle, LAWS, requirementsIn } from './requirements.ts'

const requirements = requirementsIn(readFileSync(join(repositoryRoot, 'docs/testing.md'), 'utf8'))

/** The last requirement of the seed document; all numbers up to this one are in use. */
const SEED_REQUIREMENTS = 32

describe('docs/testing.md', () => {
  it('has every law and every requirement of the seed document, each with a test', () => {
    const seed = Array.from({ length: SEED_REQUIREMENTS }, (_, index) => `S${index + 1}`)
    const withTests = new Set(requirements.filter(({ tests }) => tests.length > 0).map(({ id }) => id))
    expect([...LAWS, ...seed].filter((id) => !withTests.has(id))).toEqual([])
    expect(requirements.filter(({ tests }) => tests.length === 0)).toEqual([])
  })

  it('names tests that exist', () => {
    expect(requirements.flatMap(({ tests }) => tests.map(faultOf)).filter(Boolean)).toEqual([])
  })

  it('names files that exist', () => {
    const files = requirements.flatMap(({ keptBy }) => keptBy)
    expect(files.filter((file) => !existsSync(join(repositoryRoot, file)))).toEqual([])
  })
})

describe('the check of docs/testing.md', () => {
  it('reads files and titles of a line', () => {
    const line = '| L1 | A law, | `a.ts`, `b/` | `x.test.ts`: "one, two", "the "%s" one"; `y.test.ts`: "three" |'
    expect(requirementsIn(`| law | statement | kept by | tests |\n| --- | --- | --- | --- |\n${line}\n`)).toEqual([
      {
        id: 'L1',
        keptBy: ['a.ts', 'b/'],
        tests: [
          { file: 'x.test.ts', title: 'one, two' },
          { file: 'x.test.ts', title: 'the "%s" one' },
          { file: 'y.test.ts', title: 'three' },
        ],
      },
    ])
  })

  it.each([
    ["it('works', () => {", true],
    ["])('works', (value) => {", true],
    ["  it.each([1])(\n    'works',\n    () => {", true],
    ["it('works well', () => {", false],
    ["// it 'works'", false],
  ])('looks for the whole title in %j: %s', (source, expected) => {
    expect(hasTitle(source, 'works')).toBe(expected)
  })
})

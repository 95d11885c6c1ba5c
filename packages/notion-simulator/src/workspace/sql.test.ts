import { describe, expect, it } from 'vitest'
import { runSelect } from './sql.ts'

const ROWS = [
  { name: 'Ant', legs: 6, note: null },
  { name: 'bee', legs: 6, note: "it's busy" },
  { name: 'Cat', legs: 4, note: '50% asleep' },
  { name: 'Snake', legs: 0, note: 'long' },
]

function run(sql: string, params: (string | number | null)[] = []) {
  return runSelect(sql, params, (name) => {
    if (name !== 'animals') throw new Error(`no table ${name}`)
    return { columns: ['name', 'legs', 'note'], rows: ROWS }
  })
}

const names = (where: string, params: (string | number | null)[] = []) =>
  run(`SELECT name FROM animals WHERE ${where}`, params).map(({ name }) => name)

describe('a condition', () => {
  it.each<[string, string[]]>([
    ['legs = 6', ['Ant', 'bee']],
    ['legs <> 6', ['Cat', 'Snake']],
    ['legs >= 4 AND legs < 6', ['Cat']],
    ["legs = 0 OR name = 'Ant'", ['Ant', 'Snake']],
    ['NOT (legs = 6 OR legs = 4)', ['Snake']],
    ["name LIKE '%a%'", ['Ant', 'Cat', 'Snake']],
    ["name NOT LIKE '_at'", ['Ant', 'bee', 'Snake']],
    ["note LIKE '50%%'", ['Cat']],
    ["note = 'it''s busy'", ['bee']],
    ['note IS NULL', ['Ant']],
    ['note IS NOT NULL', ['bee', 'Cat', 'Snake']],
    ['legs IN (0, 4)', ['Cat', 'Snake']],
    ["name NOT IN ('Ant', 'bee')", ['Cat', 'Snake']],
    ["LOWER(name) = 'ant'", ['Ant']],
    ["note != 'long'", ['bee', 'Cat']],
    ['legs > -1', ['Ant', 'bee', 'Cat', 'Snake']],
  ])('%s selects %j', (where, expected) => {
    expect(names(where)).toEqual(expected)
  })

  it('binds the parameters in order', () => {
    expect(names('legs > ? AND name <> ?', [3, 'bee'])).toEqual(['Ant', 'Cat'])
    expect(() => names('legs = ?')).toThrow('fewer params')
  })
})

describe('the result', () => {
  it('has all columns, chosen columns, or aliases', () => {
    expect(run('select * from animals limit 1')).toEqual([ROWS[0]])
    expect(run('SELECT "name" AS who, legs FROM "animals" LIMIT 1 OFFSET 2;')).toEqual([{ who: 'Cat', legs: 4 }])
  })

  it('is ordered by several columns, null before numbers before text', () => {
    expect(run('SELECT name FROM animals ORDER BY legs DESC, name').map(({ name }) => name)).toEqual([
      'Ant',
      'bee',
      'Cat',
      'Snake',
    ])
    expect(run('SELECT name FROM animals ORDER BY note').map(({ name }) => name)[0]).toBe('Ant')
  })

  it('is aggregated over all rows or by group', () => {
    expect(
      run(
        'SELECT COUNT(*), COUNT(note) AS noted, SUM(legs) AS total, AVG(legs) AS mean, MIN(name) AS first, MAX(legs) AS most FROM animals',
      ),
    ).toEqual([{ 'COUNT(*)': 4, noted: 3, total: 16, mean: 4, first: 'Ant', most: 6 }])
    expect(run('SELECT legs, COUNT(*) AS n FROM animals GROUP BY legs ORDER BY n DESC, legs')).toEqual([
      { legs: 6, n: 2 },
      { legs: 0, n: 1 },
      { legs: 4, n: 1 },
    ])
    expect(run('SELECT COUNT(*) AS n FROM animals WHERE legs = 100')).toEqual([{ n: 0 }])
  })
})

describe('an invalid query', () => {
  it.each([
    ['UPDATE animals SET legs = 1', 'only SELECT'],
    ['SELECT wings FROM animals', 'no such column: wings'],
    ['SELECT SLEEP(1) FROM animals', 'no such function: SLEEP'],
    ['SELECT name FROM animals WHERE', 'incomplete input'],
    ['SELECT name FROM animals; DROP TABLE animals', 'syntax error'],
    ['SELECT name FROM animals LIMIT x', 'whole numbers'],
    ['SELECT name FROM animals WHERE name = #', 'unrecognized token'],
  ])('is rejected: %s', (sql, reason) => {
    expect(() => run(sql)).toThrow(reason)
  })
})

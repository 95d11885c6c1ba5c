import { ValidationError } from './errors.ts'
import type { PropertyValue } from './workspace.ts'
import { compare, type Row } from './rows.ts'
import { parseSelect, type Expression, type Select } from './sql-parser.ts'

export type Table = { columns: readonly string[]; rows: readonly Row[] }

/**
 * Runs one `SELECT` on one table. Supports columns, `*`, aliases, the aggregates `COUNT SUM AVG MIN MAX`, `WHERE`
 * with comparisons, `LIKE`, `IN`, `IS NULL`, `AND OR NOT`, then `GROUP BY`, `ORDER BY`, `LIMIT` and `OFFSET`. No joins.
 *
 * @throws {ValidationError}
 */
export function runSelect(sql: string, parameters: readonly PropertyValue[], table: (name: string) => Table): Row[] {
  const select = parseSelect(sql, parameters)
  const { columns, rows } = table(select.from)
  const aliases = select.columns.flatMap(({ alias }) => (alias === undefined ? [] : [alias]))
  for (const name of select.names) {
    if (!columns.includes(name) && !aliases.includes(name)) throw new ValidationError(`no such column: ${name}`)
  }
  const selected = rows.filter((row) => select.where === undefined || isTrue(evaluate(select.where, row, [row])))
  const groups = groupRows(select, selected)
  const shaped = groups.map((members) => shape(select, columns, members))
  if (select.orderBy.length > 0) {
    shaped.sort((a, b) => {
      for (const { by, descending } of select.orderBy) {
        const difference = compare(sortValue(by, a), sortValue(by, b))
        if (difference !== 0) return descending ? -difference : difference
      }
      return 0
    })
  }
  const { offset = 0, limit = Number.POSITIVE_INFINITY } = select
  return shaped.slice(offset, offset + limit).map(({ result }) => result)
}

type Shaped = { result: Row; members: readonly Row[] }

const AGGREGATES = ['COUNT', 'SUM', 'AVG', 'MIN', 'MAX']

function hasAggregate(expression: Expression): boolean {
  return expression.kind === 'call' && AGGREGATES.includes(expression.name)
}

/** The groups of `GROUP BY` or an aggregate; otherwise each row is a group. */
function groupRows(select: Select, rows: readonly Row[]): (readonly Row[])[] {
  if (select.groupBy.length > 0) {
    const groups = new Map<string, Row[]>()
    for (const row of rows) {
      const key = JSON.stringify(select.groupBy.map((name) => row[name] ?? null))
      groups.set(key, [...(groups.get(key) ?? []), row])
    }
    return [...groups.values()]
  }
  return select.columns.some(({ expression }) => hasAggregate(expression)) ? [rows] : rows.map((row) => [row])
}

function shape(select: Select, columns: readonly string[], members: readonly Row[]): Shaped {
  const first = members[0] ?? {}
  const result: Row = {}
  for (const { expression, alias, text } of select.columns) {
    if (expression.kind === 'all') for (const name of columns) result[name] = first[name] ?? null
    else result[alias ?? text] = evaluate(expression, first, members)
  }
  return { result, members }
}

function sortValue(by: Expression, { result, members }: Shaped): PropertyValue {
  if (by.kind === 'column' && by.name in result) return result[by.name] ?? null
  return evaluate(by, members[0] ?? {}, members)
}

const isTrue = (value: PropertyValue) => value !== null && value !== 0 && value !== ''

/** Three-valued logic of SQL; `null` is unknown. */
const truth = (value: boolean | null): PropertyValue => (value === null ? null : value ? 1 : 0)

function evaluate(expression: Expression, row: Row, group: readonly Row[]): PropertyValue {
  switch (expression.kind) {
    case 'literal':
      return expression.value
    case 'column':
      return row[expression.name] ?? null
    case 'all':
      throw new ValidationError('* is not a value')
    case 'not':
      return truth(negate(evaluate(expression.operand, row, group)))
    case 'and':
      return truth(expression.operands.every((operand) => isTrue(evaluate(operand, row, group))))
    case 'or':
      return truth(expression.operands.some((operand) => isTrue(evaluate(operand, row, group))))
    case 'is-null':
      return truth(evaluate(expression.operand, row, group) === null)
    case 'in': {
      const value = evaluate(expression.operand, row, group)
      if (value === null) return null
      return truth(expression.values.some((candidate) => evaluate(candidate, row, group) === value))
    }
    case 'compare':
      return compareValues(
        expression.operator,
        evaluate(expression.left, row, group),
        evaluate(expression.right, row, group),
      )
    case 'call':
      return callFunction(expression, row, group)
  }
}

function negate(value: PropertyValue): boolean | null {
  return value === null ? null : !isTrue(value)
}

function compareValues(operator: string, left: PropertyValue, right: PropertyValue): PropertyValue {
  if (left === null || right === null) return null
  const difference = compare(left, right)
  switch (operator) {
    case '=':
      return truth(difference === 0)
    case '!=':
    case '<>':
      return truth(difference !== 0)
    case '<':
      return truth(difference < 0)
    case '<=':
      return truth(difference <= 0)
    case '>':
      return truth(difference > 0)
    case '>=':
      return truth(difference >= 0)
    default:
      return truth(isLike(String(left), String(right)))
  }
}

function isLike(text: string, pattern: string): boolean {
  const source = [...pattern].map((character) =>
    character === '%' ? '[\\s\\S]*' : character === '_' ? '[\\s\\S]' : character.replace(/[^\p{L}\p{N}\s]/u, '\\$&'),
  )
  return new RegExp(`^${source.join('')}$`, 'iu').test(text)
}

function callFunction(
  { name, argument }: Extract<Expression, { kind: 'call' }>,
  row: Row,
  group: readonly Row[],
): PropertyValue {
  if (name === 'COUNT' && argument.kind === 'all') return group.length
  if (name === 'LOWER' || name === 'UPPER') {
    const value = evaluate(argument, row, group)
    return value === null ? null : name === 'LOWER' ? String(value).toLowerCase() : String(value).toUpperCase()
  }
  const values = group.map((member) => evaluate(argument, member, [member])).filter((value) => value !== null)
  if (name === 'COUNT') return values.length
  if (values.length === 0) return null
  const sum = () => values.reduce<number>((total, value) => total + Number(value), 0)
  switch (name) {
    case 'SUM':
      return sum()
    case 'AVG':
      return sum() / values.length
    default:
      values.sort(compare)
      return values.at(name === 'MIN' ? 0 : -1) ?? null
  }
}

import type { PropertyValue } from './workspace.ts'
import { ValidationError } from './errors.ts'

export type Expression =
  | { kind: 'literal'; value: PropertyValue }
  | { kind: 'column'; name: string }
  | { kind: 'all' }
  | { kind: 'not'; operand: Expression }
  | { kind: 'and' | 'or'; operands: Expression[] }
  | { kind: 'is-null'; operand: Expression }
  | { kind: 'in'; operand: Expression; values: Expression[] }
  | { kind: 'compare'; operator: string; left: Expression; right: Expression }
  | { kind: 'call'; name: string; argument: Expression }

/** A parsed query. `names` are all columns that it uses. */
export type Select = {
  columns: { expression: Expression; alias?: string; text: string }[]
  from: string
  where?: Expression
  groupBy: string[]
  orderBy: { by: Expression; descending: boolean }[]
  limit?: number
  offset?: number
  names: string[]
}

type Token = { kind: 'name' | 'quoted' | 'string' | 'number' | 'sign'; text: string }

const TOKEN =
  /\s+|("(?:[^"]|"")*")|('(?:[^']|'')*')|(\d+(?:\.\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|(<=|>=|<>|!=|[=<>(),*?;-])/y
const FUNCTIONS = ['COUNT', 'SUM', 'AVG', 'MIN', 'MAX', 'LOWER', 'UPPER']

function tokenize(sql: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < sql.length) {
    const at = TOKEN.lastIndex
    const match = TOKEN.exec(sql)
    if (!match) throw new ValidationError(`unrecognized token near "${sql.slice(at, at + 20)}"`)
    const [, quoted, string, number, name, sign] = match
    if (quoted !== undefined) tokens.push({ kind: 'quoted', text: quoted.slice(1, -1).replaceAll('""', '"') })
    else if (string !== undefined) tokens.push({ kind: 'string', text: string.slice(1, -1).replaceAll("''", "'") })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number })
    else if (name !== undefined) tokens.push({ kind: 'name', text: name })
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign })
  }
  return tokens
}

/**
 * Parses one `SELECT`; each `?` takes the next parameter.
 *
 * @throws {ValidationError}
 */
export function parseSelect(sql: string, parameters: readonly PropertyValue[]): Select {
  const tokens = tokenize(sql.trim().replace(/;\s*$/, ''))
  const names: string[] = []
  let position = 0
  let used = 0

  const peek = (): Token | undefined => tokens[position]
  const isWord = (word: string, offset = 0) => {
    const token = tokens[position + offset]
    return token?.kind === 'name' && token.text.toUpperCase() === word
  }
  const isSign = (sign: string) => peek()?.kind === 'sign' && peek()?.text === sign
  const take = (): Token => {
    const token = tokens[position++]
    if (!token) throw new ValidationError('incomplete input')
    return token
  }
  const accept = (test: boolean) => {
    if (test) position++
    return test
  }
  const unexpected = () => new ValidationError(peek() ? `near "${peek()?.text}": syntax error` : 'incomplete input')
  const expectWord = (word: string) => {
    if (!accept(isWord(word))) throw unexpected()
  }
  const expectSign = (sign: string) => {
    if (!accept(isSign(sign))) throw unexpected()
  }
  const list = <Item>(item: () => Item): Item[] => {
    const items = [item()]
    while (accept(isSign(','))) items.push(item())
    return items
  }

  const columnName = (): string => {
    const token = take()
    if (token.kind !== 'name' && token.kind !== 'quoted')
      throw new ValidationError(`near "${token.text}": syntax error`)
    names.push(token.text)
    return token.text
  }
  const wholeNumber = (): number => {
    const token = take()
    const value = token.kind === 'sign' && token.text === '?' ? parameter() : Number(token.text)
    if (typeof value !== 'number' || !Number.isInteger(value))
      throw new ValidationError('LIMIT and OFFSET take whole numbers')
    return value
  }
  const parameter = (): PropertyValue => {
    if (used >= parameters.length) throw new ValidationError('fewer params than placeholders')
    return parameters[used++] ?? null
  }

  const primary = (): Expression => {
    if (accept(isSign('('))) {
      const inner = disjunction()
      expectSign(')')
      return inner
    }
    if (accept(isSign('?'))) return { kind: 'literal', value: parameter() }
    if (accept(isSign('-'))) return { kind: 'literal', value: -Number(take().text) }
    if (accept(isWord('NULL'))) return { kind: 'literal', value: null }
    const token = peek()
    if (token?.kind === 'string') return { kind: 'literal', value: take().text }
    if (token?.kind === 'number') return { kind: 'literal', value: Number(take().text) }
    const next = tokens[position + 1]
    if (token?.kind === 'name' && next?.kind === 'sign' && next.text === '(') return call()
    return { kind: 'column', name: columnName() }
  }
  const call = (): Expression => {
    const name = take().text.toUpperCase()
    if (!FUNCTIONS.includes(name)) throw new ValidationError(`no such function: ${name}`)
    expectSign('(')
    const argument: Expression = accept(isSign('*')) ? { kind: 'all' } : disjunction()
    expectSign(')')
    return { kind: 'call', name, argument }
  }
  const comparison = (): Expression => {
    const left = primary()
    if (accept(isWord('IS'))) {
      const negative = accept(isWord('NOT'))
      expectWord('NULL')
      const test: Expression = { kind: 'is-null', operand: left }
      return negative ? { kind: 'not', operand: test } : test
    }
    const negative = isWord('NOT') && (isWord('IN', 1) || isWord('LIKE', 1)) && accept(true)
    const positive = positiveComparison(left)
    return negative ? { kind: 'not', operand: positive } : positive
  }
  const positiveComparison = (left: Expression): Expression => {
    if (accept(isWord('IN'))) {
      expectSign('(')
      const values = list(primary)
      expectSign(')')
      return { kind: 'in', operand: left, values }
    }
    if (accept(isWord('LIKE'))) return { kind: 'compare', operator: 'LIKE', left, right: primary() }
    if (peek()?.kind === 'sign' && ['=', '!=', '<>', '<', '<=', '>', '>='].includes(peek()?.text ?? '')) {
      return { kind: 'compare', operator: take().text, left, right: primary() }
    }
    return left
  }
  const negation = (): Expression => (accept(isWord('NOT')) ? { kind: 'not', operand: negation() } : comparison())
  const conjunction = (): Expression => {
    const operands = [negation()]
    while (accept(isWord('AND'))) operands.push(negation())
    return operands.length > 1 ? { kind: 'and', operands } : (operands[0] as Expression) // At least one was pushed.
  }
  const disjunction = (): Expression => {
    const operands = [conjunction()]
    while (accept(isWord('OR'))) operands.push(conjunction())
    return operands.length > 1 ? { kind: 'or', operands } : (operands[0] as Expression) // At least one was pushed.
  }

  const column = (): Select['columns'][number] => {
    if (accept(isSign('*'))) return { expression: { kind: 'all' }, text: '*' }
    const start = position
    const expression = disjunction()
    const text = tokens
      .slice(start, position)
      .map((token) => token.text)
      .join('')
    if (!accept(isWord('AS'))) return { expression, text }
    return { expression, text, alias: take().text }
  }
  const order = (): Select['orderBy'][number] => {
    const by = disjunction()
    const descending = accept(isWord('DESC'))
    if (!descending) accept(isWord('ASC'))
    return { by, descending }
  }

  if (!isWord('SELECT')) throw new ValidationError('only SELECT statements are allowed')
  expectWord('SELECT')
  const columns = list(column)
  expectWord('FROM')
  const from = take().text
  const where = accept(isWord('WHERE')) ? disjunction() : undefined
  const groupBy = accept(isWord('GROUP')) ? (expectWord('BY'), list(columnName)) : []
  const orderBy = accept(isWord('ORDER')) ? (expectWord('BY'), list(order)) : []
  const limit = accept(isWord('LIMIT')) ? wholeNumber() : undefined
  const offset = accept(isWord('OFFSET')) ? wholeNumber() : undefined
  if (position < tokens.length) throw unexpected()
  return {
    columns,
    from,
    groupBy,
    orderBy,
    names,
    ...(where && { where }),
    ...(limit !== undefined && { limit }),
    ...(offset !== undefined && { offset }),
  }
}

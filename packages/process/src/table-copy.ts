/** Copies the tables of a schema between databases, in the text format that every PostgreSQL version reads. */
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import type { Client } from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'

/** One table of a copy. */
export interface CopiedTable {
  readonly name: string
  readonly columns: readonly string[]
  readonly rows: number
}

interface Table {
  readonly name: string
  readonly columns: readonly string[]
  /** The tables that its foreign keys reference. */
  readonly references: readonly string[]
}

/** Without generated columns, which are computed again. Tables come after those that they reference. */
async function tablesOf(client: Client, schema: string): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `select t.relname as name,
            array(select a.attname::text from pg_attribute a
                   where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum) as columns,
            array(select distinct r.relname::text from pg_constraint c join pg_class r on r.oid = c.confrelid
                   where c.conrelid = t.oid and c.contype = 'f' and c.confrelid <> t.oid) as references
       from pg_class t join pg_namespace n on n.oid = t.relnamespace
      where n.nspname = $1 and t.relkind = 'r' order by t.relname`,
    [schema],
  )
  return sortByReferences(rows)
}

/** @throws {Error} for circular references. */
function sortByReferences(tables: readonly Table[]): Table[] {
  const ordered: Table[] = []
  const left = new Map(tables.map((table) => [table.name, table]))
  while (left.size > 0) {
    const ready = [...left.values()].filter(({ references }) => references.every((name) => !left.has(name)))
    if (ready.length === 0) throw new Error(`the tables ${[...left.keys()].join(', ')} refer to each other`)
    for (const table of ready) {
      ordered.push(table)
      left.delete(table.name)
    }
  }
  return ordered
}

/** Writes each table to `<folder>/<table>.copy.gz`, from one snapshot. */
export async function copyOut(client: Client, schema: string, folder: string): Promise<CopiedTable[]> {
  await client.query('begin isolation level repeatable read read only')
  try {
    const copied: CopiedTable[] = []
    for (const { name, columns } of await tablesOf(client, schema)) {
      const stream = client.query(copyTo(`copy ${quotedTable(client, schema, name, columns)} to stdout`))
      await pipeline(stream, createGzip(), createWriteStream(pathOf(folder, name), { mode: 0o600, flags: 'wx' }))
      copied.push({ name, columns, rows: stream.rowCount })
    }
    return copied
  } finally {
    await client.query('rollback')
  }
}

/**
 * Replaces the rows of these tables in one transaction and advances the sequences. The schema must be the same as in the copy. The application's
 * triggers do not fire, because their effects are part of the copy.
 *
 * @param finish runs in the same transaction, after the last table.
 * @throws {Error} when a table has another number of rows than its manifest.
 */
export async function copyIn(
  client: Client,
  schema: string,
  folder: string,
  tables: readonly CopiedTable[],
  finish?: () => Promise<void>,
): Promise<void> {
  const present = new Map((await tablesOf(client, schema)).map((table) => [table.name, table]))
  const missing = tables.filter(({ name }) => !present.has(name)).map(({ name }) => name)
  if (missing.length > 0) throw new Error(`this release has no table ${missing.join(', ')} in ${schema}`)
  const copied = new Map(tables.map((table) => [table.name, table]))
  const quoted = [...copied.keys()].map((name) => quotedTable(client, schema, name))
  await client.query('begin')
  try {
    for (const table of quoted) await client.query(`alter table ${table} disable trigger user`)
    await client.query(`truncate ${quoted.join(', ')}`)
    for (const { name } of present.values()) {
      const table = copied.get(name)
      if (table) await readTable(client, schema, folder, table)
    }
    await advanceSequences(client, schema)
    // Deferred constraints must be checked before a table can be altered.
    await client.query('set constraints all immediate')
    for (const table of quoted) await client.query(`alter table ${table} enable trigger user`)
    await finish?.()
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

async function readTable(client: Client, schema: string, folder: string, { name, columns, rows }: CopiedTable) {
  const stream = client.query(copyFrom(`copy ${quotedTable(client, schema, name, columns)} from stdin`))
  await pipeline(createReadStream(pathOf(folder, name)), createGunzip(), stream)
  if (stream.rowCount !== rows) {
    throw new Error(`${schema}.${name} has ${stream.rowCount} rows in the copy, and its manifest says ${rows}`)
  }
}

/** Sets each sequence to the highest value of its column. */
async function advanceSequences(client: Client, schema: string): Promise<void> {
  const { rows } = await client.query<{ sequence: string; table: string; column: string }>(
    `select s.oid::regclass::text as sequence, d.refobjid::regclass::text as table, quote_ident(a.attname) as column
       from pg_class s
       join pg_namespace n on n.oid = s.relnamespace
       join pg_depend d on d.objid = s.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')
       join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
      where n.nspname = $1 and s.relkind = 'S'`,
    [schema],
  )
  for (const { sequence, table, column } of rows) {
    await client.query(
      `select setval($1::regclass, coalesce(max(${column}), 1), max(${column}) is not null) from ${table}`,
      [sequence],
    )
  }
}

const pathOf = (folder: string, table: string) => join(folder, `${table}.copy.gz`)

function quotedTable(client: Client, schema: string, table: string, columns?: readonly string[]): string {
  const name = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(table)}`
  return columns ? `${name} (${columns.map((column) => client.escapeIdentifier(column)).join(', ')})` : name
}

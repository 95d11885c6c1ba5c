import { chainOf, codeOf, sqlstateOf } from './log.ts'

/** Why the database is not usable: a log event, and a sentence for the response. */
export interface DatabaseFailure {
  readonly event: string
  readonly detail: string
}

const OPERATOR = 'Try again in a few minutes. If it keeps happening, contact your administrator.'

/** By SQLSTATE, the longest match first. */
const FAILURES: readonly (readonly [start: string, DatabaseFailure])[] = [
  ['53100', { event: 'database.disk_full', detail: `The database’s disk is full. ${OPERATOR}` }],
  ['53200', { event: 'database.out_of_memory', detail: `The database is out of memory. ${OPERATOR}` }],
  [
    '53300',
    { event: 'database.too_many_connections', detail: `The database accepts no more connections. ${OPERATOR}` },
  ],
  ['53', { event: 'database.out_of_resources', detail: `The database has reached a resource limit. ${OPERATOR}` }],
  ['58030', { event: 'database.disk_error', detail: `The database can’t access its disk. ${OPERATOR}` }],
  ['25006', { event: 'database.read_only', detail: `The database is read-only right now. ${OPERATOR}` }],
  ['57014', { event: 'database.timeout', detail: `The database took too long to respond. ${OPERATOR}` }],
  ['57P', { event: 'database.unreachable', detail: `The database is restarting. ${OPERATOR}` }],
  ['08', { event: 'database.unreachable', detail: `The database can’t be reached. ${OPERATOR}` }],
  ['28', { event: 'database.login_refused', detail: `The database rejected this app’s login. ${OPERATOR}` }],
  ['3D000', { event: 'database.missing', detail: `The database doesn’t exist. ${OPERATOR}` }],
]

/** Messages of the pool when it cannot connect; they have no code. */
const POOL_TIMEOUT = /timeout exceeded when trying to connect|Connection terminated/

const NETWORK = /^(ECONN|EPIPE|ENOTFOUND|EAI_|ETIMEDOUT|EHOST|ENET)/

/** The database failure behind an error of a query; undefined for other errors. */
export function databaseFailure(error: unknown): DatabaseFailure | undefined {
  for (const each of chainOf(error)) {
    const state = sqlstateOf(each)
    const known = state === undefined ? undefined : FAILURES.find(([start]) => state.startsWith(start))
    if (known) return known[1]
    if (!(each instanceof Error)) continue
    const isGone = POOL_TIMEOUT.test(each.message) || (NETWORK.test(codeOf(each) ?? '') && 'syscall' in each)
    if (isGone) return { event: 'database.unreachable', detail: `The database can’t be reached. ${OPERATOR}` }
  }
  return undefined
}

import { chainOf, codeOf, sqlstateOf } from './log.ts'

/** Why the database cannot be used at the moment: an event of the log, and a sentence for whoever asked. */
export interface DatabaseFailure {
  readonly event: string
  readonly detail: string
}

const OPERATOR = 'Try again in a few minutes; if it stays so, the operator has to look at it.'

/** By SQLSTATE, the longest match first. */
const FAILURES: readonly (readonly [start: string, DatabaseFailure])[] = [
  ['53100', { event: 'database.disk_full', detail: `The database has no space left on its disk. ${OPERATOR}` }],
  ['53200', { event: 'database.out_of_memory', detail: `The database has no memory left. ${OPERATOR}` }],
  ['53300', { event: 'database.too_many_connections', detail: `The database takes no more connections. ${OPERATOR}` }],
  ['53', { event: 'database.out_of_resources', detail: `The database is at a limit. ${OPERATOR}` }],
  ['58030', { event: 'database.disk_error', detail: `The database cannot use its disk. ${OPERATOR}` }],
  ['25006', { event: 'database.read_only', detail: `The database takes no changes at the moment. ${OPERATOR}` }],
  ['57014', { event: 'database.timeout', detail: `The database took too long. ${OPERATOR}` }],
  ['57P', { event: 'database.unreachable', detail: `The database is being restarted. ${OPERATOR}` }],
  ['08', { event: 'database.unreachable', detail: `The database cannot be reached. ${OPERATOR}` }],
  ['28', { event: 'database.login_refused', detail: `The database refuses this app. ${OPERATOR}` }],
  ['3D000', { event: 'database.missing', detail: `The database is not there. ${OPERATOR}` }],
]

/** What the pool says when no connection comes about; it has no code for it. */
const POOL_TIMEOUT = /timeout exceeded when trying to connect|Connection terminated/

const NETWORK = /^(ECONN|EPIPE|ENOTFOUND|EAI_|ETIMEDOUT|EHOST|ENET)/

/** What an error that a query threw says of the database; undefined for one that is about the query itself, or about something else. */
export function databaseFailure(error: unknown): DatabaseFailure | undefined {
  for (const each of chainOf(error)) {
    const state = sqlstateOf(each)
    const known = state === undefined ? undefined : FAILURES.find(([start]) => state.startsWith(start))
    if (known) return known[1]
    if (!(each instanceof Error)) continue
    const isGone = POOL_TIMEOUT.test(each.message) || (NETWORK.test(codeOf(each) ?? '') && 'syscall' in each)
    if (isGone) return { event: 'database.unreachable', detail: `The database cannot be reached. ${OPERATOR}` }
  }
  return undefined
}

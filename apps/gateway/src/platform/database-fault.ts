/** Persistent faults of the database, recognized by the SQLSTATE of its errors. */
import type { Log } from './log.ts'

/** A state of the database that its operator has to fix. */
export interface DatabaseFault {
  readonly event: string
  /** For people: what is wrong and how the operator fixes it. */
  readonly message: string
}

/** By SQLSTATE, or by its two-character class ([PostgreSQL, Appendix A](https://www.postgresql.org/docs/current/errcodes-appendix.html)). */
const FAULTS: Readonly<Record<string, DatabaseFault>> = {
  '53100': {
    event: 'database.disk_full',
    message: "The disk of the gateway's database is full. The operator has to free space on it.",
  },
  '53200': {
    event: 'database.out_of_memory',
    message: "The gateway's database is out of memory. The operator has to give it more.",
  },
  '53300': {
    event: 'database.too_many_connections',
    message:
      "The gateway's database accepts no more connections. The operator can raise its max_connections or lower DATABASE_POOL_SIZE.",
  },
  '25006': {
    event: 'database.read_only',
    message:
      "The gateway's database accepts no changes. The operator has to point DATABASE_URL to the primary server, or end its read-only mode.",
  },
  '28': {
    event: 'database.login_refused',
    message: "The gateway's database refuses the login. The operator has to check DATABASE_URL.",
  },
  '3D000': {
    event: 'database.missing',
    message: "The gateway's database no longer exists. The operator has to restore it or change DATABASE_URL.",
  },
  '57P04': {
    event: 'database.missing',
    message: "The gateway's database was dropped. The operator has to restore it or change DATABASE_URL.",
  },
  XX001: {
    event: 'database.corrupted',
    message: "The gateway's database has damaged files. The operator has to look at its log and restore a backup.",
  },
  XX002: {
    event: 'database.corrupted',
    message: "The gateway's database has damaged files. The operator has to look at its log and restore a backup.",
  },
  '42501': {
    event: 'database.not_permitted',
    message:
      "The gateway's database user lacks a permission. The operator has to make it the owner of the schema gateway.",
  },
  '53': {
    event: 'database.out_of_resources',
    message: "The gateway's database has reached a limit. The operator has to look at its log.",
  },
  '58': {
    event: 'database.io_error',
    message: "The gateway's database cannot read or write its files. The operator has to look at its log and disk.",
  },
}

/** Undefined for temporary errors and for errors in the statement. */
export function databaseFaultOf(sqlstate: string | undefined): DatabaseFault | undefined {
  if (sqlstate === undefined) return undefined
  return FAULTS[sqlstate] ?? FAULTS[sqlstate.slice(0, 2)]
}

/** A lasting fault is logged again at this interval. */
const LOG_EVERY_MS = 60_000
/** A fault that has not occurred for this long is over as soon as a statement changes a row. */
const LASTS_MS = 60_000

/** Holds the fault of one database until a statement proves that it is over. */
export class DatabaseFaultTracker {
  readonly #log: Log
  readonly #loggedAtMs = new Map<string, number>()
  #current: DatabaseFault | undefined
  #foundAtMs = 0
  /** Statements that failed and have not succeeded since: on a full disk some statements fail while others still succeed. */
  readonly #failing = new Set<string>()

  constructor(log: Log) {
    this.#log = log
  }

  get current(): DatabaseFault | undefined {
    return this.#current
  }

  /** Records a failed statement. */
  failed(text: string, fault: DatabaseFault, sqlstate: string): void {
    const now = performance.now()
    this.#current = fault
    this.#foundAtMs = now
    if (this.#failing.size < MAX_STATEMENTS) this.#failing.add(text)
    if (now - (this.#loggedAtMs.get(fault.event) ?? -Infinity) < LOG_EVERY_MS) return
    this.#loggedAtMs.set(fault.event, now)
    this.#log.error(fault.event, { sqlstate, advice: fault.message })
  }

  /** Records a successful statement, which may end the fault. */
  succeeded(text: string, rowCount: number | null): void {
    if (!this.#current) return
    this.#failing.delete(text)
    const isOver = performance.now() - this.#foundAtMs > LASTS_MS && rowCount && CHANGE.test(text)
    if (this.#failing.size > 0 && !isOver) return
    this.#log.info('database.recovered', { from: this.#current.event })
    this.#current = undefined
    this.#failing.clear()
    this.#loggedAtMs.clear()
  }
}

const MAX_STATEMENTS = 100
const CHANGE = /\b(insert|update|delete)\b/i

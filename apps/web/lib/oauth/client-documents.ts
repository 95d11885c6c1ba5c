import { ForbiddenUrl, guardedFetches, TooMuchBody, type GuardedFetch, type Reach } from '@nmg/outbound'
import type { Pool } from 'pg'
import { SCHEMA } from '../database.ts'
import { log } from '../log.ts'
import { clientDocument, documentUrl, DocumentRefused, freshSeconds, type DocumentFault } from './client-document.ts'
import { clientFields, type ClientRegistration } from './client-registration.ts'
import { fetchAllowance } from './fetch-allowance.ts'

/** The browser waits for it. */
const TIMEOUT_MS = 5_000
/** Three times what the draft recommends (§6.6). */
const MAX_BODY_BYTES = 16 * 1024
/** While a document cannot be had, the last one is used for that long. */
const USABLE_HOURS = 24
/** Documents, not requests: a person's clients are few, and what is known already is not asked for. */
const LIMITS = { atOnce: 16, perMinute: 10 }
/** How long documents are not offered after one could not be reached, unless another was within the last day. */
const HELD_BACK_MS = 3_600_000
const REACHED_LATELY_MS = 24 * 3_600_000

export interface ClientDocumentsOptions {
  readonly pool: Pool
  /** Where documents may be. */
  readonly reach: Reach
}

export interface ClientDocuments {
  /**
   * Whether clients are told that a document is enough. Not while it looks as if this app had no way to the Internet: they register then, and
   * log in all the same.
   */
  isOffered(): boolean
  /** Whether the client's document was read recently enough. */
  isKnown(clientId: string): Promise<boolean>
  /**
   * Reads the client's document, after which the client is known like one that registered. Only for people who are signed in: whoever else
   * could have this app ask any address for anything.
   *
   * @throws {DocumentRefused}
   */
  read(clientId: string, personId: string): Promise<void>
}

export function clientDocuments({ pool, reach }: ClientDocumentsOptions): ClientDocuments {
  const fetch = guardedFetches(reach)({ timeoutMs: TIMEOUT_MS, maxBodyBytes: MAX_BODY_BYTES })
  const allowance = fetchAllowance(LIMITS)
  const underWay = new Map<string, Promise<void>>()
  let reachedAtMs = -Infinity
  let heldBackUntilMs = -Infinity

  const ask: GuardedFetch = async (url, init) => {
    try {
      const answer = await fetch(url, init)
      reachedAtMs = Date.now()
      heldBackUntilMs = -Infinity
      return answer
    } catch (cause) {
      const isUnreachable = faultOf(cause) === 'document_unreachable'
      if (isUnreachable && Date.now() - reachedAtMs > REACHED_LATELY_MS) {
        heldBackUntilMs = Date.now() + HELD_BACK_MS
        log.warn('oauth.documents_held_back', { advice: 'clients register for now; see CLIENT_METADATA_DOCUMENTS' })
      }
      throw cause
    }
  }

  const isStored = async (clientId: string, condition: string) => {
    const { rowCount } = await pool.query(
      `select from ${SCHEMA}.client_document where client_id = $1 and ${condition}`,
      [clientId],
    )
    return rowCount !== 0
  }

  const begin = (clientId: string, personId: string): Promise<void> => {
    const url = documentUrl(clientId)
    const giveBack = allowance.take(personId)
    if (!giveBack) throw new DocumentRefused('document_later')
    const reading = readInto(pool, ask, url).finally(() => {
      giveBack()
      underWay.delete(clientId)
    })
    underWay.set(clientId, reading)
    return reading
  }

  return {
    isOffered: () => Date.now() >= heldBackUntilMs,
    isKnown: (clientId) => isStored(clientId, 'fresh_until > now()'),

    async read(clientId, personId) {
      try {
        await (underWay.get(clientId) ?? begin(clientId, personId))
      } catch (error) {
        if (!(error instanceof DocumentRefused)) throw error
        // That nothing can be reached concerns the operator; what strangers publish does not.
        const level = error.fault === 'document_unreachable' ? 'warn' : 'info'
        log[level]('oauth.document_refused', { clientId, fault: error.fault, cause: causeOf(error) })
        const isPassing = error.fault === 'document_unreachable' || error.fault === 'document_later'
        const isUsable = `fetched_at > now() - interval '${USABLE_HOURS} hours'`
        if (!isPassing || !(await isStored(clientId, isUsable))) throw error
      }
    },
  }
}

async function readInto(pool: Pool, fetch: GuardedFetch, url: URL): Promise<void> {
  const { text, cacheControl } = await get(fetch, url)
  await store(pool, url.href, clientDocument(url, parsed(text)), freshSeconds(cacheControl))
}

/** @throws {DocumentRefused} */
async function get(fetch: GuardedFetch, url: URL): Promise<{ text: string; cacheControl: string | null }> {
  let answer: Response
  try {
    answer = await fetch(url.href, { headers: { accept: 'application/json', 'user-agent': 'Notion-MCP-Gateway' } })
  } catch (cause) {
    throw new DocumentRefused(faultOf(cause), { cause })
  }
  // A server that is not well says nothing about the client. A redirect is not followed: whoever answers it would speak for the host.
  if (answer.status >= 500 || answer.status === 429) throw new DocumentRefused('document_unreachable')
  const isJson = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(answer.headers.get('content-type') ?? '')
  if (answer.status !== 200 || !isJson) throw new DocumentRefused('document_invalid')
  return { text: await answer.text(), cacheControl: answer.headers.get('cache-control') }
}

function faultOf(cause: unknown): DocumentFault {
  if (cause instanceof ForbiddenUrl) return 'document_private'
  return cause instanceof TooMuchBody ? 'document_invalid' : 'document_unreachable'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new DocumentRefused('document_invalid')
  }
}

/** As code or class: its words may be a stranger's. */
function causeOf({ cause }: DocumentRefused): string | undefined {
  if (!(cause instanceof Error)) return undefined
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name
}

/** As the client is now; what was stored of it before is replaced, but not what the operator did to it. */
async function store(pool: Pool, clientId: string, read: ClientRegistration, fresh: number): Promise<void> {
  const now = new Date()
  const fields = { ...clientFields(read), updatedAt: now }
  const values = Object.entries({ clientId, createdAt: now, ...fields })
  const names = values.map(([name]) => `"${name}"`)
  const places = values.map((_, index) => `$${index + 3}`)
  const replaced = Object.keys(fields).map((name) => `"${name}" = excluded."${name}"`)
  await pool.query(
    `with client as (
       insert into ${SCHEMA}."oauthClient" (id, ${names.join(', ')}) values (gen_random_uuid(), ${places.join(', ')})
       on conflict ("clientId") do update set ${replaced.join(', ')}
       returning "clientId")
     insert into ${SCHEMA}.client_document (client_id, fetched_at, fresh_until)
     select "clientId", $1, $1::timestamptz + make_interval(secs => $2) from client
     on conflict (client_id) do update set fetched_at = excluded.fetched_at, fresh_until = excluded.fresh_until`,
    [now, fresh, ...values.map(([, value]) => (Array.isArray(value) ? JSON.stringify(value) : value))],
  )
}

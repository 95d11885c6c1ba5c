import { ForbiddenUrl, guardedFetches, BodyTooLarge, type Proxies, type SsrfGuard } from '@nmg/outbound'
import type { Pool } from 'pg'
import { SCHEMA } from '../lib/database.ts'
import { log } from '../lib/log.ts'
import { failureWith } from '../lib/failure.ts'
import { clientDocument, documentFailure, documentFaults, freshSeconds, type DocumentFault } from './client-document.ts'
import { storeDocumentClient } from './clients.ts'
import { fetchLimiter } from './fetch-limiter.ts'

/** Time limit of a fetch, during which the browser waits. */
const TIMEOUT_MS = 5_000
/** Three times what the draft recommends (§6.6). */
const MAX_BODY_BYTES = 16 * 1024
/** While a document cannot be had, the last one is used for that long; and for that long it shows that documents can be had. */
const USABLE_HOURS = 24
/** Of each process. Documents, not requests: a user's clients are few, and what is known already is not asked for. */
const LIMITS = { atOnce: 32, atOnceOfOne: 3, perMinuteOfOne: 10 }
/** How long documents are not offered after one could not be reached, and none was within {@link USABLE_HOURS}. */
const HELD_BACK_MS = 3_600_000

export interface DocumentResolverOptions {
  readonly pool: Pool
  /** Where documents may be. */
  readonly guard: SsrfGuard
  /** What they are asked for through. */
  readonly proxies: Proxies
}

export interface DocumentResolver {
  /**
   * Whether clients are told that a document is enough. Not while it looks as if this app had no way to the Internet: they register then, and
   * log in all the same.
   */
  isOffered(): boolean
  /** True if the client's document is still fresh. */
  isKnown(clientId: string): Promise<boolean>
  /**
   * Reads the document at this address, which is the client's id, after which the client is known like one that registered. Only for people who are signed in: whoever else
   * could have this app ask any address for anything.
   *
   * @throws {Failure} with a {@link DocumentFault}
   */
  read(url: URL, userId: string): Promise<void>
}

export function documentResolver({ pool, guard, proxies }: DocumentResolverOptions): DocumentResolver {
  const fetch = guardedFetches(guard, proxies)({ timeoutMs: TIMEOUT_MS, maxBodyBytes: MAX_BODY_BYTES })
  const limiter = fetchLimiter(LIMITS)
  const underWay = new Map<string, Promise<void>>()
  let heldBackUntilMs = -Infinity

  const isStored = async (condition: string, ...values: unknown[]) => {
    const { rowCount } = await pool.query(`select from ${SCHEMA}.client_document where ${condition} limit 1`, values)
    return rowCount !== 0
  }
  const isRecent = `fetched_at > now() - interval '${USABLE_HOURS} hours'`

  const ask = async (url: URL): Promise<Response> => {
    try {
      const response = await fetch(url.href, {
        headers: { accept: 'application/json', 'user-agent': 'Notion-MCP-Gateway' },
      })
      heldBackUntilMs = -Infinity
      return response
    } catch (cause) {
      const fault = faultOf(cause)
      if (fault === 'document_unreachable' && !(await isStored(isRecent))) {
        heldBackUntilMs = Date.now() + HELD_BACK_MS
        log.warn('oauth.documents_held_back', { advice: 'clients register for now; see CLIENT_METADATA_DOCUMENTS' })
      }
      throw documentFailure(fault, { cause })
    }
  }

  const readNow = async (url: URL) => {
    const response = await ask(url)
    const document = clientDocument(url, await contentOf(response))
    await storeDocumentClient(pool, url.href, document, freshSeconds(response.headers.get('cache-control')))
  }

  const begin = (url: URL, userId: string): Promise<void> => {
    const giveBack = limiter.take(userId)
    if (!giveBack) throw documentFailure('document_later')
    const reading = readNow(url).finally(() => {
      giveBack()
      underWay.delete(url.href)
    })
    underWay.set(url.href, reading)
    log.info('oauth.document_asked_for', { host: url.host, user: userId })
    return reading
  }

  return {
    isOffered: () => Date.now() >= heldBackUntilMs,
    isKnown: (clientId) => isStored('client_id = $1 and fresh_until > now()', clientId),

    async read(url, userId) {
      const clientId = url.href
      try {
        await (underWay.get(clientId) ?? begin(url, userId))
      } catch (error) {
        const failure = failureWith(error, documentFaults)
        if (!failure) throw error
        // Log an unreachable network, not faulty third-party documents.
        const level = failure.code === 'document_unreachable' ? 'warn' : 'info'
        log[level]('oauth.document_refused', {
          clientId,
          user: userId,
          fault: failure.code,
          cause: causeOf(failure),
        })
        const isPassing = failure.code === 'document_unreachable' || failure.code === 'document_later'
        if (!isPassing || !(await isStored(`client_id = $1 and ${isRecent}`, clientId))) throw error
      }
    },
  }
}

/** @throws {Failure} with a {@link DocumentFault} */
async function contentOf(response: Response): Promise<unknown> {
  // A server that is not well says nothing about the client. A redirect is not followed: whoever answers it would speak for the host.
  if (response.status >= 500 || response.status === 429) throw documentFailure('document_unreachable')
  const isJson = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(response.headers.get('content-type') ?? '')
  if (response.status !== 200 || !isJson) throw documentFailure('document_invalid')
  try {
    return await response.json()
  } catch {
    throw documentFailure('document_invalid')
  }
}

function faultOf(cause: unknown): DocumentFault {
  if (cause instanceof ForbiddenUrl) return 'document_private'
  return cause instanceof BodyTooLarge ? 'document_invalid' : 'document_unreachable'
}

/** As code or class: its words may be a stranger's. */
function causeOf({ cause }: Error): string | undefined {
  if (!(cause instanceof Error)) return undefined
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name
}

import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProblemCode } from '@nmg/contract'
import { clientName, isEndedBy, principalName } from './access.ts'
import { type IsReadOnlyTool, readVerdict } from '../proxy/read-only.ts'
import { Failure } from '../platform/failure.ts'
import { accessRevoked, type Authenticator, type Principal } from './authenticate.ts'
import { FilterMemory, filterTools, type ToolFilter } from './filter-tools.ts'
import { type ActivityRecorder, clientInfoIn } from './activity.ts'
import { describeError, type Log } from '../platform/log.ts'
import type { ClientActivity } from './ports.ts'
import type { RevocationNotices } from './revocation-notices.ts'
import { type InFlightItem, InFlightSet } from '../platform/in-flight-set.ts'
import { CONNECT_INPUT, rpcError, urlElicitation } from './errors.ts'
import { type ErrorResponse } from '../platform/problems.ts'
import { ClientLimits, type ClientLimitSettings, type Counted } from './rate-limit.ts'
import { metadataUrl } from '../proxy/endpoint.ts'
import { problemResponse } from '../platform/problems.ts'
import type { FailedRequest, PolicyDecision, PolicyRequest, RequestPolicy } from '../proxy/policy.ts'

export interface ClientPolicyDependencies {
  readonly accesses: Authenticator
  readonly news: RevocationNotices
  readonly notes: ActivityRecorder
  readonly activity: ClientActivity
  readonly isReadOnlyTool: IsReadOnlyTool
  /** Where a person connects this space to Notion again. */
  readonly connectUrl: (spaceId: string) => string
  /** The gateway as clients know it. */
  readonly publicUrl: URL
  /** Whether there is an authorization server to send clients to. */
  readonly hasIssuers: boolean
  readonly limits: ClientLimitSettings
  readonly maxBodyBytes: number
  readonly log: Log
}

/** Receives MCP clients of persons at the proxy: their rights, limits, the end of their access, and answers in their language. */
export interface ClientPolicy {
  policyFor(access: Principal): RequestPolicy
  /** How a failure is told: to applications as a problem document, to MCP clients as a JSON-RPC error. */
  errorResponse(failure: Failure, failed: FailedRequest): ErrorResponse | Promise<ErrorResponse>
  close(): void
}

/** Both, so that a client that asks for what the challenge names gets all of what the person may give it. */
const ALL_SCOPES = 'notion:read notion:write'
/** While news of revocations could be missed, and until this has been made up for, open exchanges are looked at that often. */
const RECHECK_EVERY_MS = 1_000

export function clientPolicy(deps: ClientPolicyDependencies): ClientPolicy {
  const limits = new ClientLimits(deps.limits)
  const memory = new FilterMemory()
  const open = new InFlightSet<UserClientPolicy>()
  let isRechecking = false
  let isClosed = false

  deps.news.onRevoked((revoked) => {
    for (const policy of open) if (isEndedBy(policy.access, revoked)) policy.revoke()
  })
  deps.news.onGap(() => void recheck())

  async function recheck(): Promise<void> {
    if (isRechecking) return
    isRechecking = true
    while (!isClosed) {
      await sleep(RECHECK_EVERY_MS, undefined, { ref: false })
      const wasLive = deps.news.isConnected()
      const isDone = await endWhatHasEnded().catch((error: unknown) => {
        deps.log.warn('clients.not_rechecked', describeError(error))
        return false
      })
      if (wasLive && isDone) break
    }
    isRechecking = false
  }

  async function endWhatHasEnded(): Promise<boolean> {
    // Of one credential, all has ended or nothing.
    for (const policies of Map.groupBy(open, credentialOf).values()) {
      const [one] = policies
      if (one && (await deps.accesses.isRevoked(one.access))) for (const policy of policies) policy.revoke()
    }
    return true
  }

  return {
    policyFor: (access) => new UserClientPolicy(access, deps, limits, memory, open),
    errorResponse(failure, failed) {
      const { policy, requestId } = failed
      const challenge = challengeFor(failure, failed, deps)
      if (!isForClient(failed)) {
        const answer = problemResponse(failure, requestId)
        return challenge === undefined ? answer : { ...answer, headers: withChallenge(answer.headers, challenge) }
      }
      const access = policy instanceof UserClientPolicy ? policy.access : undefined
      const isToConnect = MENDED_BY_CONNECTING.has(failure.code)
      const connectUrl = access && isToConnect ? deps.connectUrl(access.spaceId) : undefined
      const plain = () => rpcError(failure, failed.rpc, { requestId, connectUrl, challenge })
      if (!access || connectUrl === undefined) return plain()
      return elicitationForm(access, failed, deps).then(
        (form) => (form && failed.rpc ? urlElicitation(form, failure, failed.rpc, connectUrl, randomUUID()) : plain()),
        plain,
      )
    },
    close() {
      isClosed = true
    },
  }
}

const MENDED_BY_CONNECTING = new Set<ProblemCode>(['not_connected', 'reconnect_required', 'consent_required'])

const credentialOf = ({ principal, access: { credential } }: UserClientPolicy) =>
  credential.kind === 'key' ? principal : `${principal}\n${credential.grantId ?? ''}\n${credential.issuedAt.getTime()}`

/** Whether the one who is refused speaks MCP. Of somebody unknown, the address and what they presented tell. */
function isForClient({ req, target, policy, isService }: FailedRequest): boolean {
  if (isService) return false
  return policy !== undefined || target.spaceId !== undefined || isClientCredential(req.headers.authorization ?? '')
}

const isClientCredential = (authorization: string) => /^Bearer +(nmg_|[\w-]+\.[\w-]+\.)/i.test(authorization)

/** One request of a client. */
class UserClientPolicy implements RequestPolicy, InFlightItem {
  inFlightIndex = -1
  readonly access: Principal
  readonly principal: string
  readonly spaceId: string
  readonly userId: string
  readonly client: string
  readonly maxBodyBytes: number
  readonly #deps: ClientPolicyDependencies
  readonly #limits: ClientLimits
  readonly #open: InFlightSet<UserClientPolicy>
  #abort: ((failure: Failure) => void) | undefined
  readonly #memory: FilterMemory
  #counted: Counted | undefined
  #filter: ToolFilter | undefined

  constructor(
    access: Principal,
    deps: ClientPolicyDependencies,
    limits: ClientLimits,
    memory: FilterMemory,
    open: InFlightSet<UserClientPolicy>,
  ) {
    this.access = access
    this.principal = principalName(access)
    this.spaceId = access.spaceId
    this.userId = access.userId
    this.client = clientName(access.credential)
    this.maxBodyBytes = deps.maxBodyBytes
    this.#deps = deps
    this.#limits = limits
    this.#memory = memory
    this.#open = open
  }

  onStart(abort: (failure: Failure) => void): void {
    this.#abort = abort
    this.#open.add(this)
    this.#counted = this.#limits.count(this.principal)
  }

  onRequest({ headers, body, rpcMethod, isStream, isResumption }: PolicyRequest): PolicyDecision {
    this.#counted?.enter(isStream)
    if (body) this.#deps.notes.called(this.access, rpcMethod, body)
    if (this.access.scope === 'notion:write') return { headers, transformResponse: (sink) => sink }
    const listsTools = body === undefined ? isResumption : this.#assertReading(body, headers)
    if (!listsTools) return { headers, transformResponse: (sink) => sink }
    const { isReadOnlyTool } = this.#deps
    // Cutting needs the plain text.
    return {
      headers: uncompressed(headers),
      transformResponse: (sink) => (this.#filter = filterTools(sink, isReadOnlyTool, this.#memory)),
    }
  }

  onEnd(): void {
    this.#open.delete(this)
    this.#counted?.leave()
    this.#filter?.release()
  }

  revoke(): void {
    this.#abort?.(accessRevoked())
  }

  /** @returns whether the answer may hold a list of tools. */
  #assertReading(body: Buffer, headers: readonly string[]): boolean {
    const verdict = readVerdict(body, headers, this.#deps.isReadOnlyTool)
    if (verdict.isAllowed) return verdict.listsTools
    switch (verdict.refused) {
      case 'ambiguous':
        throw new Failure('invalid_request', 'The message has a member more than once that decides what is asked for.')
      case 'writing':
        throw new Failure(
          'insufficient_scope',
          `This access only reads (notion:read), and the ${verdict.kind}${legible(verdict.what)} is not known to only read. It needs notion:write.`,
        )
    }
  }
}

/** The name as the caller wrote it, in a form that fits into a sentence and a header; else nothing. */
const legible = (name: string) => (/^[\w./-]{1,100}$/.test(name) ? ` ${name}` : '')

function uncompressed(headers: readonly string[]): string[] {
  const rest: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() !== 'accept-encoding') rest.push(headers[i] ?? '', headers[i + 1] ?? '')
  }
  return [...rest, 'accept-encoding', 'identity']
}

/**
 * The challenge of [RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3) and
 * [RFC 9728 §5.1](https://www.rfc-editor.org/rfc/rfc9728#section-5.1). A key is what it is: no login makes more of it, so its client is not
 * sent to one for more rights.
 */
function challengeFor(
  failure: Failure,
  { target, req, policy }: FailedRequest,
  { publicUrl, hasIssuers }: ClientPolicyDependencies,
): string | undefined {
  const isKey = policy instanceof UserClientPolicy && policy.access.credential.kind === 'key'
  if (failure.code !== 'unauthenticated' && (failure.code !== 'insufficient_scope' || isKey)) return undefined
  const isPresented = failure.code === 'insufficient_scope' || hasBearer(req)
  const parameters = [
    ...(isPresented
      ? [
          `error="${failure.code === 'insufficient_scope' ? 'insufficient_scope' : 'invalid_token'}"`,
          `error_description="${failure.message.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'")}"`,
        ]
      : []),
    ...(hasIssuers ? [`resource_metadata="${metadataUrl(publicUrl, target)}"`, `scope="${ALL_SCOPES}"`] : []),
  ]
  return parameters.length === 0 ? 'Bearer' : `Bearer ${parameters.join(', ')}`
}

const hasBearer = (req: IncomingMessage) => /^Bearer /i.test(req.headers.authorization ?? '')

function withChallenge(headers: readonly string[], challenge: string): string[] {
  const all = [...headers]
  const at = all.indexOf('www-authenticate')
  if (at === -1) all.push('www-authenticate', challenge)
  else all[at + 1] = challenge
  return all
}

/** The requests of 2026-07-28 whose result may say that something is missing. */
const MAY_ASK_FOR_INPUT = new Set(['tools/call', 'prompts/get', 'resources/read'])

/** In which form this client takes a URL for its person; undefined when it takes none, or was just sent there. */
async function elicitationForm(
  access: Principal,
  { rpc, body }: FailedRequest,
  { notes, activity }: ClientPolicyDependencies,
): Promise<'error' | 'result' | undefined> {
  if (rpc?.id === undefined || rpc.method === undefined || body === undefined || rpc.method === 'initialize')
    return undefined
  const clientInfo = clientInfoIn(body)
  if (clientInfo === undefined) {
    // The client's capabilities came with `initialize`, perhaps a moment ago.
    await notes.stored()
    return (await activity.takesUrls(access)) ? 'error' : undefined
  }
  const isAnswered = body.includes(`"${CONNECT_INPUT}"`)
  return clientInfo.takesUrls && MAY_ASK_FOR_INPUT.has(rpc.method) && !isAnswered ? 'result' : undefined
}

import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProblemCode } from '@nmg/contract'
import { clientIdentity, principalIdentity } from './access.ts'
import { type IsReadOnlyTool, readVerdict } from '../proxy/read-only.ts'
import { Failure } from '../platform/failure.ts'
import { accessRevoked, type Authenticator, type Principal } from './authenticate.ts'
import { FilterMemory, filterTools, type ToolFilter } from './filter-tools.ts'
import { type ActivityRecorder, type ClientActivityStore, readClientInfo } from './activity.ts'
import { describeError, type Log } from '../platform/log.ts'
import type { RevocationNotices } from './revocation-notices.ts'
import { type InFlightItem, InFlightSet } from '../platform/in-flight-set.ts'
import { isRevokedBy } from './revocations.ts'
import { CONNECT_INPUT, rpcError, urlElicitation } from './errors.ts'
import { type ErrorResponse } from '../platform/problems.ts'
import { ClientRateLimiter, type ClientLimitSettings, type CountedRequest } from './rate-limit.ts'
import { metadataUrl } from '../proxy/endpoint.ts'
import { problemResponse } from '../platform/problems.ts'
import type { FailedRequest, PolicyDecision, PolicyRequest, RequestPolicy } from '../proxy/policy.ts'

export interface ClientPolicyDependencies {
  readonly authenticator: Authenticator
  readonly notices: RevocationNotices
  readonly activityRecorder: ActivityRecorder
  readonly activity: ClientActivityStore
  readonly isReadOnlyTool: IsReadOnlyTool
  /** Page where a user connects the space to Notion. */
  readonly connectUrl: (spaceId: string) => string
  /** The gateway's URL for clients. */
  readonly publicUrl: URL
  /** True if clients can log in at an authorization server. */
  readonly hasIssuers: boolean
  readonly limits: ClientLimitSettings
  readonly maxBodyBytes: number
  readonly log: Log
}

/** The proxy's rules for users' MCP clients: scopes, limits, revocation and error responses. */
export interface ClientPolicy {
  /** Creates the policy for one request. */
  policyFor(access: Principal): RequestPolicy
  /** Creates the response to a failed request: a problem document for applications, a JSON-RPC error for MCP clients. */
  errorResponse(failure: Failure, failed: FailedRequest): ErrorResponse | Promise<ErrorResponse>
  /** Stops checks for missed revocations. */
  close(): void
}

/** The scopes in a challenge. Both, so that clients request all that their user may grant. */
const ALL_SCOPES = 'notion:read notion:write'
/** Interval of checks for missed revocations, from an interruption of notifications until a check succeeds after it. */
const RECHECK_EVERY_MS = 1_000

export function clientPolicy(deps: ClientPolicyDependencies): ClientPolicy {
  const limits = new ClientRateLimiter(deps.limits)
  const memory = new FilterMemory()
  const inFlight = new InFlightSet<UserClientPolicy>()
  let isRechecking = false
  let isClosed = false

  deps.notices.onRevoked((revocation) => {
    for (const policy of inFlight) if (isRevokedBy(policy.access, revocation)) policy.revoke()
  })
  deps.notices.onGap(() => void recheck())

  async function recheck(): Promise<void> {
    if (isRechecking) return
    isRechecking = true
    while (!isClosed) {
      await sleep(RECHECK_EVERY_MS, undefined, { ref: false })
      const wasConnected = deps.notices.isConnected()
      const hasSucceeded = await abortRevoked().catch((error: unknown) => {
        deps.log.warn('clients.recheck_failed', describeError(error))
        return false
      })
      if (wasConnected && hasSucceeded) break
    }
    isRechecking = false
  }

  async function abortRevoked(): Promise<boolean> {
    // A revocation affects all exchanges of a credential, so one check per credential is enough.
    for (const policies of Map.groupBy(inFlight, credentialIdentity).values()) {
      const [first] = policies
      if (first && (await deps.authenticator.isRevoked(first.access))) for (const policy of policies) policy.revoke()
    }
    return true
  }

  return {
    policyFor: (access) => new UserClientPolicy(access, deps, limits, memory, inFlight),
    errorResponse(failure, failed) {
      const { policy, requestId } = failed
      const challenge = challengeFor(failure, failed, deps)
      if (!isMcpClient(failed)) {
        const response = problemResponse(failure, requestId)
        if (challenge === undefined) return response
        return { ...response, headers: setChallenge(response.headers, challenge) }
      }
      const access = policy instanceof UserClientPolicy ? policy.access : undefined
      const canConnect = RESOLVED_BY_CONNECTING.has(failure.code)
      const connectUrl = access && canConnect ? deps.connectUrl(access.spaceId) : undefined
      const plainError = () => rpcError(failure, failed.rpc, { requestId, connectUrl, challenge })
      if (!access || connectUrl === undefined) return plainError()
      return elicitationForm(access, failed, deps).then(
        (form) =>
          form && failed.rpc ? urlElicitation(form, failure, failed.rpc, connectUrl, randomUUID()) : plainError(),
        plainError,
      )
    },
    close() {
      isClosed = true
    },
  }
}

const RESOLVED_BY_CONNECTING = new Set<ProblemCode>(['not_connected', 'reconnect_required', 'consent_required'])

const credentialIdentity = ({ principal, access: { credential } }: UserClientPolicy) =>
  credential.kind === 'key' ? principal : `${principal}\n${credential.grantId ?? ''}\n${credential.issuedAt.getTime()}`

/** True if the rejected caller is an MCP client; for unauthenticated callers, inferred from the path and the credential format. */
function isMcpClient({ req, target, policy, isService }: FailedRequest): boolean {
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
  readonly #limits: ClientRateLimiter
  readonly #inFlight: InFlightSet<UserClientPolicy>
  #abort: ((failure: Failure) => void) | undefined
  readonly #memory: FilterMemory
  #counted: CountedRequest | undefined
  #filter: ToolFilter | undefined

  constructor(
    access: Principal,
    deps: ClientPolicyDependencies,
    limits: ClientRateLimiter,
    memory: FilterMemory,
    inFlight: InFlightSet<UserClientPolicy>,
  ) {
    this.access = access
    this.principal = principalIdentity(access)
    this.spaceId = access.spaceId
    this.userId = access.userId
    this.client = clientIdentity(access.credential)
    this.maxBodyBytes = deps.maxBodyBytes
    this.#deps = deps
    this.#limits = limits
    this.#memory = memory
    this.#inFlight = inFlight
  }

  onStart(abort: (failure: Failure) => void): void {
    this.#abort = abort
    this.#inFlight.add(this)
    this.#counted = this.#limits.countRequest(this.principal)
  }

  onRequest({ headers, body, rpcMethod, isStream, isResumption }: PolicyRequest): PolicyDecision {
    this.#counted?.acquire(isStream)
    if (body) this.#deps.activityRecorder.recordCall(this.access, rpcMethod, body)
    if (this.access.scope === 'notion:write') return { headers, transformResponse: (sink) => sink }
    const mayListTools = body === undefined ? isResumption : this.#assertReadOnly(body, headers)
    if (!mayListTools) return { headers, transformResponse: (sink) => sink }
    const { isReadOnlyTool } = this.#deps
    // The filter cannot read compressed responses.
    return {
      headers: requestUncompressed(headers),
      transformResponse: (sink) => (this.#filter = filterTools(sink, isReadOnlyTool, this.#memory)),
    }
  }

  onEnd(): void {
    this.#inFlight.delete(this)
    this.#counted?.release()
    this.#filter?.release()
  }

  revoke(): void {
    this.#abort?.(accessRevoked())
  }

  /** @returns true if the response may contain a list of tools. @throws {Failure} if the message may change anything. */
  #assertReadOnly(body: Buffer, headers: readonly string[]): boolean {
    const verdict = readVerdict(body, headers, this.#deps.isReadOnlyTool)
    if (verdict.isAllowed) return verdict.listsTools
    switch (verdict.refused) {
      case 'ambiguous':
        throw new Failure(
          'invalid_request',
          'The message is ambiguous. Send method, params and name only once, and do not nest batches.',
        )
      case 'writing':
        throw new Failure(
          'insufficient_scope',
          `This access has the scope notion:read, and the ${verdict.kind}${formatName(verdict.what)} is not known to be read-only. It requires notion:write.`,
        )
    }
  }
}

/** The name for use in a message and a header; empty if it has characters that could break them. */
const formatName = (name: string) => (/^[\w./-]{1,100}$/.test(name) ? ` ${name}` : '')

function requestUncompressed(headers: readonly string[]): string[] {
  const rest: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    if (headers[i]?.toLowerCase() !== 'accept-encoding') rest.push(headers[i] ?? '', headers[i + 1] ?? '')
  }
  return [...rest, 'accept-encoding', 'identity']
}

/**
 * The challenge of [RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3) and
 * [RFC 9728 §5.1](https://www.rfc-editor.org/rfc/rfc9728#section-5.1). There is no challenge for the
 * scope of a key, because a login cannot widen it.
 */
function challengeFor(
  failure: Failure,
  { target, req, policy }: FailedRequest,
  { publicUrl, hasIssuers }: ClientPolicyDependencies,
): string | undefined {
  const isKey = policy instanceof UserClientPolicy && policy.access.credential.kind === 'key'
  if (failure.code !== 'unauthenticated' && (failure.code !== 'insufficient_scope' || isKey)) return undefined
  const hasCredential = failure.code === 'insufficient_scope' || hasBearer(req)
  const parameters = [
    ...(hasCredential
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

function setChallenge(headers: readonly string[], challenge: string): string[] {
  const all = [...headers]
  const at = all.indexOf('www-authenticate')
  if (at === -1) all.push('www-authenticate', challenge)
  else all[at + 1] = challenge
  return all
}

/** Methods of 2026-07-28 whose result may be `input_required`. */
const INPUT_REQUIRED_METHODS = new Set(['tools/call', 'prompts/get', 'resources/read'])

/** The form of URL elicitation that the client supports; undefined if it supports none, or has just responded to one. */
async function elicitationForm(
  access: Principal,
  { rpc, body }: FailedRequest,
  { activityRecorder, activity }: ClientPolicyDependencies,
): Promise<'error' | 'result' | undefined> {
  if (rpc?.id === undefined || rpc.method === undefined || body === undefined || rpc.method === 'initialize')
    return undefined
  const clientInfo = readClientInfo(body)
  if (clientInfo === undefined) {
    // The capabilities were in `initialize`, whose record may not be written yet.
    await activityRecorder.flush()
    return (await activity.supportsUrlElicitation(access)) ? 'error' : undefined
  }
  const hasResponded = body.includes(`"${CONNECT_INPUT}"`)
  return clientInfo.supportsUrlElicitation && INPUT_REQUIRED_METHODS.has(rpc.method) && !hasResponded
    ? 'result'
    : undefined
}

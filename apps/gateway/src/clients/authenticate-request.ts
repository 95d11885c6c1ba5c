import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Failure } from '../platform/failure.ts'
import type { ClientAccesses, ProvedAccess } from './authenticate.ts'
import type { Secret } from '../platform/secret.ts'
import { type McpTarget, resourceUrl } from '../proxy/endpoint.ts'

declare const verified: unique symbol

/** An application that proved itself, and the person it names. Only the checks of this file make one. */
export type Application = { readonly kind: 'application'; readonly userId: string | undefined } & {
  readonly [verified]: true
}

/** A person's MCP client that proved itself, and what it may do. */
export interface PersonsClient {
  readonly kind: 'client'
  readonly access: ProvedAccess
}

/** Who may call the MCP endpoint. An application vouches for its own persons and spaces; a client is bound to one of each. */
export type Caller = Application | PersonsClient

/** The two headers that say who calls. */
export interface CallerHeaders {
  readonly authorization?: string | undefined
  readonly 'x-user-id'?: string | string[] | undefined
}

const MAX_USER_ID_LENGTH = 200

/**
 * Tells applications by their service token. Answers only to valid ones: without the token, `X-User-ID` is worth nothing.
 *
 * @throws {Failure} `unauthenticated`.
 */
export function callerCheck(serviceTokens: readonly Secret[]): (headers: CallerHeaders) => Application {
  const isServiceToken = serviceTokenCheck(serviceTokens)
  return (headers) => {
    const presented = bearer(headers.authorization)
    if (presented === undefined) throw unauthenticated('Send the service token as "Authorization: Bearer …".')
    if (!isServiceToken(presented)) {
      throw unauthenticated('The service token is not one of GATEWAY_SERVICE_TOKEN.')
    }
    return application(headers)
  }
}

export interface McpCallerDependencies {
  readonly serviceTokens: readonly Secret[]
  readonly accesses: ClientAccesses
  /** The gateway as clients know it: what their tokens must have been issued for. */
  readonly publicUrl: URL
  /** Refuses requests of web pages that may not call. */
  readonly checkOrigin: (req: IncomingMessage) => void
}

/**
 * Tells who calls the MCP endpoint. Only the header `Authorization` proves anything: what stands in the query is not looked at. Answers
 * synchronously for applications, and for clients that proved themselves before.
 *
 * @throws {Failure} `unauthenticated`, `forbidden_origin`, `forbidden_space`, and what {@link ClientAccesses} throws.
 */
export function mcpCallerCheck({
  serviceTokens,
  accesses,
  publicUrl,
  checkOrigin,
}: McpCallerDependencies): (req: IncomingMessage, target: McpTarget) => Caller | Promise<Caller> {
  const isServiceToken = serviceTokenCheck(serviceTokens)
  return (req, target) => {
    const { headers } = req
    const presented = bearer(headers.authorization)
    if (presented !== undefined && isServiceToken(presented)) return application(headers)
    // A page cannot have the service token, so who has it is a program, whatever it passes on. Of all others nothing is believed yet.
    checkOrigin(req)
    if (presented === undefined) {
      throw unauthenticated('Send a key or an access token as "Authorization: Bearer …".')
    }
    const spaceId = oneSpace(target.spaceId, headers['x-space-id'])
    const access = accesses.prove({
      text: presented,
      digest: digestOf(presented),
      resource: resourceUrl(publicUrl, target),
      spaceId,
    })
    return access instanceof Promise ? access.then((proved) => clientOf(proved, headers)) : clientOf(access, headers)
  }
}

function clientOf(access: ProvedAccess, headers: CallerHeaders): PersonsClient {
  const named = userId(headers['x-user-id'])
  if (named !== undefined && named !== access.userId) {
    throw new Failure('forbidden_space', 'X-User-ID names another person than the one whose access this is.')
  }
  return { kind: 'client', access }
}

function oneSpace(inPath: string | undefined, header: string | string[] | undefined): string | undefined {
  const inHeader = Array.isArray(header) ? header.join(',') : header || undefined
  if (inPath !== undefined && inHeader !== undefined && inPath !== inHeader) {
    throw new Failure('forbidden_space', 'The address and X-Space-ID name different spaces.')
  }
  return inPath ?? inHeader
}

/**
 * All are compared, in full, so that time does not tell which of several tokens came close, nor how close. It may tell their length. (A
 * digest would hide that too, for more than the rest of a call's checks take together.)
 */
function serviceTokenCheck(serviceTokens: readonly Secret[]): (presented: string) => boolean {
  const known = serviceTokens.map((token) => Buffer.from(token.reveal()))
  const longest = Math.max(...known.map(({ length }) => length))
  return (presented) => {
    if (presented.length > longest) return false
    const bytes = Buffer.from(presented)
    let isKnown = false
    for (const token of known) {
      if (token.length === bytes.length) isKnown = timingSafeEqual(token, bytes) || isKnown
    }
    return isKnown
  }
}

const application = (headers: CallerHeaders) =>
  ({ kind: 'application', userId: userId(headers['x-user-id']) }) as Application

const digestOf = (presented: string) => createHash('sha256').update(presented).digest()

const bearer = (authorization: string | undefined) => /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]

function userId(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header.join(',') : header?.trim()
  if (!text) return undefined
  if (text.length > MAX_USER_ID_LENGTH)
    throw unauthenticated(`X-User-ID is longer than ${MAX_USER_ID_LENGTH} characters.`)
  return text
}

/** The person who acts. @throws {Failure} `unauthenticated` when the application named nobody. */
export function personOf({ userId: person }: Application): string {
  if (person === undefined) throw unauthenticated('Name the person who does this in the header X-User-ID.')
  return person
}

const unauthenticated = (detail: string) => new Failure('unauthenticated', detail)

import { createHash, timingSafeEqual } from 'node:crypto'
import { Failure } from '../failure.ts'
import type { Secret } from '../secret.ts'

declare const verified: unique symbol

/** An application that proved itself, and the person it names. Only {@link callerCheck} makes one. */
export type Caller = { readonly userId: string | undefined } & { readonly [verified]: true }

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
export function callerCheck(serviceTokens: readonly Secret[]): (headers: CallerHeaders) => Caller {
  const digests = serviceTokens.map((token) => token.digest())
  return (headers) => {
    const presented = bearer(headers.authorization)
    if (presented === undefined) throw unauthenticated('Send the service token as "Authorization: Bearer …".')
    const digest = createHash('sha256').update(presented).digest()
    // All are compared, so that time does not tell which of several tokens came close.
    let isKnown = false
    for (const known of digests) isKnown = timingSafeEqual(known, digest) || isKnown
    if (!isKnown) throw unauthenticated('The service token is not one of GATEWAY_SERVICE_TOKEN.')
    return { userId: userId(headers['x-user-id']) } as Caller
  }
}

const bearer = (authorization: string | undefined) => /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]

function userId(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header.join(',') : header?.trim()
  if (!text) return undefined
  if (text.length > MAX_USER_ID_LENGTH)
    throw unauthenticated(`X-User-ID is longer than ${MAX_USER_ID_LENGTH} characters.`)
  return text
}

/** The person who acts. @throws {Failure} `unauthenticated` when the application named nobody. */
export function personOf({ userId: person }: Caller): string {
  if (person === undefined) throw unauthenticated('Name the person who does this in the header X-User-ID.')
  return person
}

const unauthenticated = (detail: string) => new Failure('unauthenticated', detail)

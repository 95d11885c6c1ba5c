import { timingSafeEqual } from 'node:crypto'
import { Failure } from './failure.ts'
import type { Secret } from './secret.ts'

declare const verified: unique symbol

/** An application that proved itself, and the person it names. Only the checks of this file make one. */
export type ServicePrincipal = { readonly kind: 'application'; readonly userId: string | undefined } & {
  readonly [verified]: true
}

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
export function serviceAuthenticator(serviceTokens: readonly Secret[]): (headers: CallerHeaders) => ServicePrincipal {
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

/**
 * All are compared, in full, so that time does not tell which of several tokens came close, nor how close. It may tell their length. (A
 * digest would hide that too, for more than the rest of a call's checks take together.)
 */
export function serviceTokenCheck(serviceTokens: readonly Secret[]): (presented: string) => boolean {
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

export const application = (headers: CallerHeaders) =>
  ({ kind: 'application', userId: userId(headers['x-user-id']) }) as ServicePrincipal

export const bearer = (authorization: string | undefined) => /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]

export function userId(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header.join(',') : header?.trim()
  if (!text) return undefined
  if (text.length > MAX_USER_ID_LENGTH)
    throw unauthenticated(`X-User-ID is longer than ${MAX_USER_ID_LENGTH} characters.`)
  return text
}

/** The person who acts. @throws {Failure} `unauthenticated` when the application named nobody. */
export function userOf({ userId: person }: ServicePrincipal): string {
  if (person === undefined) throw unauthenticated('Name the person who does this in the header X-User-ID.')
  return person
}

export const unauthenticated = (detail: string) => new Failure('unauthenticated', detail)

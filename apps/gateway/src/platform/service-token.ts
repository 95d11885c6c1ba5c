import { timingSafeEqual } from 'node:crypto'
import { Failure } from './failure.ts'
import type { Secret } from './secret.ts'

declare const verified: unique symbol

/** An authenticated application and the user it acts for. Only the functions of this file create one. */
export type ServicePrincipal = { readonly kind: 'application'; readonly userId: string | undefined } & {
  readonly [verified]: true
}

/** The two headers that identify the caller. */
export interface CallerHeaders {
  readonly authorization?: string | undefined
  readonly 'x-user-id'?: string | string[] | undefined
}

const MAX_USER_ID_LENGTH = 200

/**
 * Authenticates applications by their service token. `X-User-ID` is trusted only together with a valid one.
 *
 * @throws {Failure} `unauthenticated`.
 */
export function serviceAuthenticator(serviceTokens: readonly Secret[]): (headers: CallerHeaders) => ServicePrincipal {
  const isServiceToken = serviceTokenCheck(serviceTokens)
  return (headers) => {
    const presented = bearerToken(headers.authorization)
    if (presented === undefined) throw unauthenticated('Send the service token as "Authorization: Bearer …".')
    if (!isServiceToken(presented)) {
      throw unauthenticated('The service token is not one of GATEWAY_SERVICE_TOKEN.')
    }
    return servicePrincipal(headers)
  }
}

/**
 * Compares with every token in constant time, so that timing reveals neither the matching token nor the length of a matching prefix. It may
 * reveal the length of a token. (Comparing digests would hide that too, but cost more than all other checks of a call.)
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

export const servicePrincipal = (headers: CallerHeaders) =>
  ({ kind: 'application', userId: userIdOf(headers['x-user-id']) }) as ServicePrincipal

export const bearerToken = (authorization: string | undefined) => /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]

export function userIdOf(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header.join(',') : header?.trim()
  if (!text) return undefined
  if (text.length > MAX_USER_ID_LENGTH)
    throw unauthenticated(`X-User-ID is longer than ${MAX_USER_ID_LENGTH} characters.`)
  return text
}

/** The user the application acts for. @throws {Failure} `unauthenticated` when `X-User-ID` is missing. */
export function requireUserId({ userId }: ServicePrincipal): string {
  if (userId === undefined) throw unauthenticated('Name the user who does this in the header X-User-ID.')
  return userId
}

export const unauthenticated = (detail: string) => new Failure('unauthenticated', detail)

/**
 * The query of the consent page: an authorization request that was found valid, with an expiry and a signature, so that what the user
 * decides about is what was asked, and nothing has to be stored for requests that nobody decides about.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

/** How long a user may take to sign in and decide, in seconds. */
const REQUEST_SECONDS = 600

export interface ConsentRequests {
  sign(request: URLSearchParams): URLSearchParams
  /** The request; undefined if it is none of ours, was changed, or is too old. */
  open(signed: URLSearchParams): URLSearchParams | undefined
}

/** @param secrets the first one signs, signatures of all of them count. */
export function consentRequests(
  secrets: readonly [string, ...string[]],
  now: () => number = Date.now,
): ConsentRequests {
  const keys = secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', 'oauth consent request', 32)))
  const signatures = (request: URLSearchParams) =>
    keys.map((key) => createHmac('sha256', key).update(request.toString()).digest())
  return {
    sign(request) {
      const signed = new URLSearchParams(request)
      signed.set('exp', String(Math.floor(now() / 1000) + REQUEST_SECONDS))
      const [signature] = signatures(signed)
      signed.set('sig', signature?.toString('base64url') ?? '')
      return signed
    },
    open(signed) {
      const request = new URLSearchParams(signed)
      const signature = Buffer.from(request.get('sig') ?? '', 'base64url')
      request.delete('sig')
      const isSigned = signatures(request).some(
        (one) => one.length === signature.length && timingSafeEqual(one, signature),
      )
      if (!isSigned || Number(request.get('exp')) * 1000 <= now()) return undefined
      request.delete('exp')
      return request
    },
  }
}

import 'server-only'
import { Failure } from './failure.ts'
import { runtime } from './runtime.ts'

/**
 * Lets only requests of the app's own pages pass. Browsers say who sent a request in `Origin`, or at least whether it was this
 * site in `Sec-Fetch-Site`; a request that carries neither comes from no browser that people use today and is refused too.
 *
 * @throws {Failure} `forbidden_origin`
 */
export function requireOwnOrigin(headers: Headers): void {
  const origin = headers.get('origin')
  const isOwn =
    origin === null ? headers.get('sec-fetch-site') === 'same-origin' : origin === new URL(runtime().webUrl).origin
  if (!isOwn)
    throw new Failure('forbidden_origin', 'Only pages of this app may do this. Open the app and try it there.')
}

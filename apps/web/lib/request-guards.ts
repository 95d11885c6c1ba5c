import 'server-only'
import { Failure } from './failure.ts'
import { addressOf, refusalOf, takeLimit, type LimitedAction, type Subjects } from './limits.ts'
import { memberIn, requireMemberIn, spacesOf, type SignedIn, type SpaceMember } from './membership.ts'
import { runtime } from './runtime.ts'

/** Who sent the request; undefined when nobody is signed in. */
export async function signedIn(headers: Headers): Promise<SignedIn | undefined> {
  const { auth, pool, withCause } = runtime()
  const { value: found } = await withCause(() => auth.api.getSession({ headers }))
  if (!found) return undefined
  const { id, name, email } = found.user
  const user = { id, name, email }
  const spaces = await spacesOf({ pool }, id)
  // The space of the session may be one that this user was removed from since.
  const active = spaces.find((space) => space.id === found.session.activeOrganizationId) ?? spaces[0]
  return { user, sessionId: found.session.id, spaces, active: active && memberIn({ user, spaces }, active.id) }
}

/** @throws {Failure} `unauthenticated` */
export async function requireSignedIn(headers: Headers): Promise<SignedIn> {
  const found = await signedIn(headers)
  if (!found) throw new Failure('unauthenticated', 'You’re not signed in. Sign in and try again.')
  return found
}

/**
 * The user who sent the request, as a member of the space; without `spaceId`, of the space that they are in now.
 *
 * @throws {Failure} `unauthenticated`, `forbidden_space`; also for a space that does not exist, so that nobody can tell.
 */
export async function requireMember(headers: Headers, spaceId?: string | null): Promise<SpaceMember> {
  const found = await requireSignedIn(headers)
  return requireMemberIn(found, spaceId || (found.active?.space.id ?? ''))
}

/** Whether the session of a request is still good, and its user still a member. */
export async function isStillSignedInMember(headers: Headers, spaceId: string): Promise<boolean> {
  const found = await signedIn(headers)
  return found !== undefined && memberIn(found, spaceId) !== undefined
}

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
    throw new Failure('forbidden_origin', 'Only this app’s own pages can do this. Open the app and try again there.')
}

/**
 * Counts one use of the action by the request's address and by who else is named.
 *
 * @throws {Failure} `too_many_attempts`, with the seconds until the next use is allowed.
 */
export async function requireWithinLimit(headers: Headers, action: LimitedAction, subjects: Subjects): Promise<void> {
  const retryAfter = await takeLimit(runtime().pool, action, { address: addressOf(headers), ...subjects })
  if (retryAfter > 0) throw new Failure('too_many_attempts', refusalOf(action, retryAfter), { retryAfter })
}

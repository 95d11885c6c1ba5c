import 'server-only'
import { Failure } from './failure.ts'
import { addressOf, refusalOf, takeLimit, type LimitedAction, type Subjects } from './limits.ts'
import { memberIn, requireMemberIn, spacesOf, type SignedIn, type SpaceMember } from './membership.ts'
import { runtime } from './runtime.ts'

/** The user of the request; undefined without a session. */
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
 * The user's membership of the space; without `spaceId`, of their active space.
 *
 * @throws {Failure} `unauthenticated`; `forbidden_space`, also for unknown spaces.
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
 * Rejects requests that do not come from the app's own pages, by `Origin` or `Sec-Fetch-Site`. Requests with neither header come from no
 * current browser and are rejected, too.
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
 * Counts one use of the action for the request's address and the other subjects.
 *
 * @throws {Failure} `too_many_attempts`, with the seconds until the next use is allowed.
 */
export async function requireWithinLimit(headers: Headers, action: LimitedAction, subjects: Subjects): Promise<void> {
  const retryAfter = await takeLimit(runtime().pool, action, { address: addressOf(headers), ...subjects })
  if (retryAfter > 0) throw new Failure('too_many_attempts', refusalOf(action, retryAfter), { retryAfter })
}

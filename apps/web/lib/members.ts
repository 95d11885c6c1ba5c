import 'server-only'
import { z } from 'zod'
import { SCHEMA } from './database.ts'
import { Failure } from './failure.ts'
import { roles, type Role } from './roles.ts'
import { runtime } from './runtime.ts'

declare const verified: unique symbol

export interface Person {
  readonly id: string
  readonly name: string
  readonly email: string
}

export interface Space {
  readonly id: string
  readonly name: string
  readonly role: Role
}

/** A person whose membership in the space was verified for this request. Only {@link signedIn} and {@link memberIn} make one. */
export interface SpaceMember {
  readonly person: Person
  readonly space: Space
  readonly [verified]: 'member'
}

/** A member who may connect, reconnect and disconnect, and who manages members. Only {@link requireManager} makes one. */
export interface SpaceManager extends SpaceMember {
  readonly [verified]: 'member' & 'manager'
}

export const isManager = (role: Role): boolean => role !== 'member'

export interface SignedIn {
  readonly person: Person
  readonly sessionId: string
  readonly spaces: readonly Space[]
  /** As a member of the space that they are in now; undefined for somebody who belongs to none. */
  readonly active: SpaceMember | undefined
}

/** Who sent the request; undefined when nobody is signed in. */
export async function signedIn(headers: Headers): Promise<SignedIn | undefined> {
  const { auth, withCause } = runtime()
  const { value: found } = await withCause(() => auth.api.getSession({ headers }))
  if (!found) return undefined
  const { id, name, email } = found.user
  const person = { id, name, email }
  const spaces = await spacesOf(id)
  // The space of the session may be one that this person was removed from since.
  const active = spaces.find((space) => space.id === found.session.activeOrganizationId) ?? spaces[0]
  return { person, sessionId: found.session.id, spaces, active: active && memberOf(active, person) }
}

/** @throws {Failure} `unauthenticated` */
export async function requireSignedIn(headers: Headers): Promise<SignedIn> {
  const found = await signedIn(headers)
  if (!found) throw new Failure('unauthenticated', 'Nobody is signed in. Sign in and try again.')
  return found
}

/**
 * The person who sent the request, as a member of the space; without `spaceId`, of the space that they are in now.
 *
 * @throws {Failure} `unauthenticated`, `forbidden_space`; also for a space that does not exist, so that nobody can tell.
 */
export async function requireMember(headers: Headers, spaceId?: string | null): Promise<SpaceMember> {
  const found = await requireSignedIn(headers)
  const member = spaceId ? memberIn(found, spaceId) : found.active
  if (!member) {
    throw new Failure(
      'forbidden_space',
      'You are not a member of this space. Ask an owner or admin of the space to invite you.',
    )
  }
  return member
}

/** Who is signed in, as a member of this space; undefined for a space of others, or none. */
export function memberIn({ person, spaces }: SignedIn, spaceId: string): SpaceMember | undefined {
  const space = spaces.find(({ id }) => id === spaceId)
  return space && memberOf(space, person)
}

/** The one place that vouches for it: `space` comes from the person's own memberships. */
const memberOf = (space: Space, person: Person) => ({ person, space }) as SpaceMember

/** @throws {Failure} `forbidden_role` */
export function requireManager(member: SpaceMember): SpaceManager {
  if (!isManager(member.space.role)) {
    throw new Failure('forbidden_role', 'Only owners and admins of the space may do this. Ask one of them.')
  }
  return member as SpaceManager
}

/** Names of people that the gateway knows by id only. */
export async function personNames(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const known = ids.filter((id) => z.uuid().safeParse(id).success)
  if (known.length === 0) return new Map()
  const { rows } = await runtime().pool.query<{ id: string; name: string }>(
    `select id, name from ${SCHEMA}."user" where id = any($1::uuid[])`,
    [known],
  )
  return new Map(rows.map(({ id, name }) => [id, name]))
}

/** Names of those who may connect the space, for those who may not. */
export async function managerNames(member: SpaceMember): Promise<string[]> {
  const { rows } = await runtime().pool.query<{ name: string; role: string }>(
    `select person.name, member.role
     from ${SCHEMA}.member join ${SCHEMA}."user" person on person.id = member."userId"
     where member."organizationId" = $1
     order by member."createdAt"`,
    [member.space.id],
  )
  return rows.filter((row) => isManager(strongestRole(row.role))).map((row) => row.name)
}

async function spacesOf(userId: string): Promise<Space[]> {
  const { rows } = await runtime().pool.query<{ id: string; name: string; role: string }>(
    `select space.id, space.name, member.role
     from ${SCHEMA}.member join ${SCHEMA}.organization space on space.id = member."organizationId"
     where member."userId" = $1
     order by member."createdAt"`,
    [userId],
  )
  return rows.map(({ id, name, role }) => ({ id, name, role: strongestRole(role) }))
}

/** better-auth keeps several roles of one member in one text, separated by commas. */
export function strongestRole(text: string): Role {
  const held = text.split(',')
  return roles.find((role) => held.includes(role)) ?? 'member'
}

/** Whether somebody whose membership was verified before is still a member, for work that goes on after the request. */
export async function isStillMember({ person, space }: SpaceMember): Promise<boolean> {
  const { rows } = await runtime().pool.query(
    `select 1 from ${SCHEMA}.member where "organizationId" = $1 and "userId" = $2`,
    [space.id, person.id],
  )
  return rows.length > 0
}

import type { Pool, PoolClient } from 'pg'
import { z } from 'zod'
import { SCHEMA } from './database.ts'
import { Failure } from './failure.ts'
import { roles, type Role } from './roles.ts'
import type { App } from './runtime.ts'

declare const verified: unique symbol

export interface User {
  readonly id: string
  readonly name: string
  readonly email: string
}

export interface Space {
  readonly id: string
  readonly name: string
  readonly role: Role
}

/** A user whose membership in the space was verified for this request. Only {@link memberIn} makes one. */
export interface SpaceMember {
  readonly user: User
  readonly space: Space
  readonly [verified]: 'member'
}

/** An owner or admin, who manages members and the connection. Created only by {@link requireManager}. */
export interface SpaceManager extends SpaceMember {
  readonly [verified]: 'member' & 'manager'
}

/** The authenticated user of a request. */
export interface SignedIn {
  readonly user: User
  readonly sessionId: string
  readonly spaces: readonly Space[]
  /** Membership of the active space; undefined for a user without spaces. */
  readonly active: SpaceMember | undefined
}

export const isManager = (role: Role): boolean => role !== 'member'

/** The signed-in user's membership of this space; undefined if there is none. */
export function memberIn(
  { user, spaces }: Pick<SignedIn, 'user' | 'spaces'>,
  spaceId: string,
): SpaceMember | undefined {
  const space = spaces.find(({ id }) => id === spaceId)
  return space && ({ user, space } as SpaceMember)
}

/** @throws {Failure} `forbidden_space`, also for unknown spaces, so that it does not reveal which exist. */
export function requireMemberIn(...args: Parameters<typeof memberIn>): SpaceMember {
  const member = memberIn(...args)
  if (member) return member
  throw new Failure('forbidden_space', 'You are not a member of this space. Ask an owner or admin to invite you.')
}

/** @throws {Failure} `forbidden_role` */
export function requireManager(member: SpaceMember): SpaceManager {
  if (!isManager(member.space.role)) {
    throw new Failure('forbidden_role', 'Only owners and admins of this space can do this. Ask one of them.')
  }
  return member as SpaceManager
}

/** SQL condition: the user is a member of the space. Both are expressions of the statement, such as columns or `$1`. */
export const isMember = (spaceId: string, userId: string): string =>
  `exists (select from ${SCHEMA}.member where "organizationId" = ${spaceId} and "userId" = ${userId})`

/** SQL condition: the space has no member. */
export const hasNoMember = (spaceId: string): string =>
  `not exists (select from ${SCHEMA}.member where "organizationId" = ${spaceId})`

/** True if the user is still a member; for work that continues after the request. */
export async function isStillMember({ pool }: App<'pool'>, { user, space }: SpaceMember): Promise<boolean> {
  const { rowCount } = await pool.query(`select where ${isMember('$1', '$2')}`, [space.id, user.id])
  return rowCount === 1
}

/** The spaces that the user belongs to, in the order in which they joined. */
export async function spacesOf({ pool }: App<'pool'>, userId: string): Promise<Space[]> {
  const { rows } = await pool.query<{ id: string; name: string; role: string }>(
    `select space.id, space.name, member.role
     from ${SCHEMA}.member join ${SCHEMA}.organization space on space.id = member."organizationId"
     where member."userId" = $1
     order by member."createdAt"`,
    [userId],
  )
  return rows.map(({ id, name, role }) => ({ id, name, role: strongestRole(role) }))
}

/** Roles of the members of a space by user. */
export async function rolesIn(client: Pool | PoolClient, spaceId: string): Promise<ReadonlyMap<string, Role>> {
  const { rows } = await client.query<{ userId: string; role: string }>(
    `select "userId", role from ${SCHEMA}.member where "organizationId" = $1`,
    [spaceId],
  )
  return new Map(rows.map(({ userId, role }) => [userId, strongestRole(role)]))
}

/** Names of the space's owners and admins, shown to members who may not connect it. */
export async function managerNames({ pool }: App<'pool'>, member: SpaceMember): Promise<string[]> {
  const { rows } = await pool.query<{ name: string; role: string }>(
    `select users.name, member.role
     from ${SCHEMA}.member join ${SCHEMA}."user" users on users.id = member."userId"
     where member."organizationId" = $1
     order by member."createdAt"`,
    [member.space.id],
  )
  return rows.filter((row) => isManager(strongestRole(row.role))).map((row) => row.name)
}

/** Names of users by id. */
export async function userNames({ pool }: App<'pool'>, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const known = ids.filter((id) => z.uuid().safeParse(id).success)
  if (known.length === 0) return new Map()
  const { rows } = await pool.query<{ id: string; name: string }>(
    `select id, name from ${SCHEMA}."user" where id = any($1::uuid[])`,
    [known],
  )
  return new Map(rows.map(({ id, name }) => [id, name]))
}

/** better-auth keeps several roles of one member in one text, separated by commas. */
export function strongestRole(text: string): Role {
  const held = text.split(',')
  return roles.find((role) => held.includes(role)) ?? 'member'
}

import * as z from 'zod/mini'
import { callApi, readApi } from '@/lib/api-client.ts'
import type { Role } from '@/lib/roles.ts'

const CreatedInvitation = z.object({
  link: z.string(),
  expiresAt: z.string(),
  mail: z.enum(['sent', 'not_sent', 'failed']),
})
export type CreatedInvitation = z.infer<typeof CreatedInvitation>

const EnteredSpace = z.object({ spaceId: z.string() })

const post = (body: object = {}) => ({ method: 'POST', body }) as const

export const switchSpace = (spaceId: string) => callApi(`/api/spaces/${spaceId}/enter`, post())

/** The new space becomes the user's active one. */
export const createSpace = (name: string) => readApi('/api/spaces', EnteredSpace, post({ name }))

export const renameSpace = (spaceId: string, name: string) =>
  callApi(`/api/spaces/${spaceId}`, { method: 'PATCH', body: { name } })

export const invite = (spaceId: string, role: Role, email: string) =>
  readApi(`/api/spaces/${spaceId}/invitations`, CreatedInvitation, post({ role, ...(email ? { email } : {}) }))

export const cancelInvitation = (spaceId: string, id: string) =>
  callApi(`/api/spaces/${spaceId}/invitations/${id}`, { method: 'DELETE', body: {} })

export const changeRole = (spaceId: string, userId: string, role: Role) =>
  callApi(`/api/spaces/${spaceId}/members/${userId}`, { method: 'PATCH', body: { role } })

/** Also how a member leaves. */
export const removeMember = (spaceId: string, userId: string) =>
  callApi(`/api/spaces/${spaceId}/members/${userId}`, { method: 'DELETE', body: {} })

export const transferOwnership = (spaceId: string, to: string) =>
  callApi(`/api/spaces/${spaceId}/handover`, post({ to }))

export const acceptInvitation = (secret: string) => readApi(`/api/invitations/${secret}`, EnteredSpace, post())

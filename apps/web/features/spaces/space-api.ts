import type { Role } from '@/lib/roles.ts'

/** What became of a request: the answer, or a sentence for the person. */
export type Outcome<Answer = undefined> = { ok: true; answer: Answer } | { ok: false; refusal: string }

const UNKNOWN = 'That did not work, and the fault is ours. Try again in a moment.'

async function send<Answer = undefined>(method: string, path: string, body: object = {}): Promise<Outcome<Answer>> {
  let response: Response
  let answer: unknown
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    answer = response.status === 204 ? undefined : await response.json().catch(() => undefined)
  } catch {
    return { ok: false, refusal: 'The app does not answer. Check your connection and try again.' }
  }
  // Answers of this very app, of the same build as this page.
  if (response.ok) return { ok: true, answer: answer as Answer }
  return { ok: false, refusal: detailOf(answer) ?? UNKNOWN }
}

const detailOf = (body: unknown): string | undefined =>
  typeof body === 'object' && body !== null && 'detail' in body && typeof body.detail === 'string'
    ? body.detail
    : undefined

export interface CreatedInvitation {
  readonly link: string
  readonly expiresAt: string
  readonly mail: 'sent' | 'not_sent' | 'failed'
}

export const enterSpace = (spaceId: string) => send('POST', `/spaces/${spaceId}/enter`)

/** The new space becomes the one that the person is in. */
export const createSpace = (name: string) => send<{ spaceId: string }>('POST', '/spaces', { name })

export const renameSpace = (spaceId: string, name: string) => send('PATCH', `/spaces/${spaceId}`, { name })

export const invite = (spaceId: string, role: Role, email: string) =>
  send<CreatedInvitation>('POST', `/spaces/${spaceId}/invitations`, { role, ...(email ? { email } : {}) })

export const cancelInvitation = (spaceId: string, id: string) => send('DELETE', `/spaces/${spaceId}/invitations/${id}`)

export const changeRole = (spaceId: string, personId: string, role: Role) =>
  send('PATCH', `/spaces/${spaceId}/members/${personId}`, { role })

/** Also how somebody leaves. */
export const removePerson = (spaceId: string, personId: string) =>
  send('DELETE', `/spaces/${spaceId}/members/${personId}`)

export const handOver = (spaceId: string, to: string) => send('POST', `/spaces/${spaceId}/handover`, { to })

export const acceptInvitation = (secret: string) => send<{ spaceId: string }>('POST', `/invitations/${secret}`)

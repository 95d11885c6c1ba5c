import { z } from 'zod'
import { ClientLists, MadeKey, type NewKey } from './client-lists.ts'
import type { ConsentDecision } from './consent-decision.ts'

const NO_ANSWER = 'The app does not answer. Check your connection and try again.'
const OUR_FAULT = 'That did not work, and the fault is ours. Try again in a moment.'
const Answer = z.object({ location: z.url() })
const Problem = z.object({ detail: z.string(), code: z.string().optional() })

export interface Refused {
  /** A sentence for the person. */
  readonly refusal: string
  /** What to do about it depends on. */
  readonly code?: string | undefined
}

/** Where the browser goes next, or a sentence for the person. */
export async function answerConsent(decision: ConsentDecision): Promise<{ location: string } | Refused> {
  return send('/api/oauth/consent', 'POST', decision, Answer)
}

const ofSpace = (spaceId: string, path: string) => `/api/spaces/${encodeURIComponent(spaceId)}${path}`

export const readLists = (spaceId: string) => send(ofSpace(spaceId, '/clients'), 'GET', undefined, ClientLists)

export const makeKey = (spaceId: string, key: NewKey) => send(ofSpace(spaceId, '/keys'), 'POST', key, MadeKey)

export const deleteKey = (spaceId: string, keyId: string) =>
  send(ofSpace(spaceId, `/keys/${encodeURIComponent(keyId)}`), 'DELETE', undefined, z.object({}))

export const endAllowed = (id: string) =>
  send(`/api/account/clients/${encodeURIComponent(id)}`, 'DELETE', undefined, z.object({}))

export const endAllAllowed = () => send('/api/account/clients', 'DELETE', undefined, z.object({}))

/** Leaves the account, to go on as somebody else. */
export const signOut = () => send('/api/auth/sign-out', 'POST', {}, z.unknown())

/** Sends to a route of this app. What it refuses is a sentence for the person. */
async function send<Schema extends z.ZodType>(
  path: string,
  method: 'GET' | 'POST' | 'DELETE',
  body: unknown,
  schema: Schema,
): Promise<z.infer<Schema> | Refused> {
  let answer: Response
  try {
    answer = await fetch(path, {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    })
  } catch {
    return { refusal: NO_ANSWER }
  }
  const content: unknown = answer.status === 204 ? {} : await answer.json().catch(() => undefined)
  if (!answer.ok) {
    const { detail = OUR_FAULT, code } = Problem.safeParse(content).data ?? {}
    return { refusal: detail, code }
  }
  const parsed = schema.safeParse(content)
  return parsed.success ? parsed.data : { refusal: OUR_FAULT }
}

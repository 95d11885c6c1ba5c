import { z } from 'zod'
import { callApi, readApi } from '@/lib/api-client.ts'
import { ClientLists, MadeKey, type NewKey } from './client-lists.ts'
import type { ConsentDecision } from './consent-decision.ts'

/** The URL to open next. */
export const sendConsent = async (decision: ConsentDecision): Promise<string> =>
  (await readApi('/api/oauth/consent', z.object({ location: z.url() }), { method: 'POST', body: decision })).location

const ofSpace = (spaceId: string, path: string) => `/api/spaces/${encodeURIComponent(spaceId)}${path}`

export const readLists = (spaceId: string) => readApi(ofSpace(spaceId, '/clients'), ClientLists)

export const createKey = (spaceId: string, key: NewKey) =>
  readApi(ofSpace(spaceId, '/keys'), MadeKey, { method: 'POST', body: key })

export const deleteKey = (spaceId: string, keyId: string) =>
  callApi(ofSpace(spaceId, `/keys/${encodeURIComponent(keyId)}`), { method: 'DELETE' })

export const revokeGrant = (id: string) =>
  callApi(`/api/account/clients/${encodeURIComponent(id)}`, { method: 'DELETE' })

export const revokeAllGrants = () => callApi('/api/account/clients', { method: 'DELETE' })

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newCookieClient, type UserClient } from '@/test/support/user.ts'
import { startStubbedApp, type StubbedApp } from '@/test/support/stubbed-app.ts'

const NUL = '\u0000'

/** Texts that a database, a date or a number cannot be made of. */
const odd: Readonly<Record<string, string>> = {
  'the character NUL': `a${NUL}b`,
  'half a character': 'a\ud800b',
  'a number as a time': `1_${crypto.randomUUID()}`,
  'no time at all': `yesterday_${crypto.randomUUID()}`,
  'a time without an id': '2026-01-01T00:00:00.000Z_1',
  'a number that is too large': '99999999999999999999',
  'a fraction': '1.5',
  nothing: '',
  'a quote': `'; select 1 --`,
  'many characters': 'x'.repeat(3_000),
}

let app: StubbedApp
let webUrl: string
let ada: UserClient

beforeAll(async () => {
  app = await startStubbedApp()
  ;({ webUrl, user: ada } = app)
})

afterAll(async () => {
  await app?.stop()
})

const json = { 'content-type': 'application/json' }
const post = (path: string, body: unknown, method = 'POST') =>
  ada.fetch(path, { method, headers: json, body: JSON.stringify(body) })
const get = (path: string) => ada.fetch(path)
const space = () => `/api/spaces/${ada.spaceId}`
const conversation = crypto.randomUUID()

/** Every route that takes a text, an id or a cursor, with it. */
const routes: Readonly<Record<string, (text: string) => Promise<Response>>> = {
  'conversations before': (text) => get(`${space()}/conversations?before=${encoded(text)}`),
  'conversations with words': (text) => get(`${space()}/conversations?search=${encoded(text)}`),
  'messages before': (text) => get(`${space()}/conversations/${conversation}/messages?before=${encoded(text)}`),
  'a conversation': (text) => get(`${space()}/conversations/${encoded(text)}`),
  'renaming a conversation': (text) => post(`${space()}/conversations/${conversation}`, { title: text }, 'PATCH'),
  'a message': (text) => post(`${space()}/chat`, { conversationId: conversation, text, message: text }),
  'the history before': (text) => get(`/api/notion/history?spaceId=${ada.spaceId}&before=${encoded(text)}`),
  'a kind of history': (text) => get(`/api/notion/history?spaceId=${ada.spaceId}&kind=${encoded(text)}`),
  'the connection of a space': (text) => get(`/api/notion?spaceId=${encoded(text)}`),
  'the page of a space': (text) => get(`/spaces/${encoded(text)}/chat`),
  'the page of a conversation': (text) => get(`/spaces/${ada.spaceId}/chat/${encoded(text)}`),
  'a new space': (text) => post('/api/spaces', { name: text }),
  'renaming a space': (text) => post(space(), { name: text }, 'PATCH'),
  'handing over': (text) => post(`${space()}/handover`, { userId: text, to: text }),
  'the role of a member': (text) => post(`${space()}/members/${encoded(text)}`, { role: 'admin' }, 'PATCH'),
  'removing a member': (text) => post(`${space()}/members/${encoded(text)}`, {}, 'DELETE'),
  'an invitation': (text) => post(`${space()}/invitations`, { role: 'member', email: text }),
  'withdrawing an invitation': (text) => post(`${space()}/invitations/${encoded(text)}`, {}, 'DELETE'),
  'the page of an invitation': (text) => get(`/invitations/${encoded(text)}`),
  'accepting an invitation': (text) => post(`/api/invitations/${encoded(text)}`, {}),
  'a new key': (text) => post(`${space()}/keys`, { name: text, scope: 'notion:read', days: 30 }),
  'deleting a key': (text) => post(`${space()}/keys/${encoded(text)}`, {}, 'DELETE'),
  'a past call': (text) => post(`${space()}/tool-calls`, { tool: text, arguments: { text }, outcome: 'ok', tookMs: 1 }),
  'an allowed client': (text) => post(`/api/account/clients/${encoded(text)}`, {}, 'DELETE'),
  'ending a session': (text) => post(`/api/account/sessions/${encoded(text)}`, {}, 'DELETE'),
  'a link to reset': (text) => post('/api/account/reset-link', { token: text }),
  'a consent': (text) => post('/api/oauth/consent', { allow: true, request: text, spaceId: text, scope: text }),
  'a workspace decision': (text) => post('/api/notion/waiting', { spaceId: ada.spaceId, id: text, accept: true }),
  'starting to connect': (text) => post('/api/notion/oauth/start', { spaceId: ada.spaceId, returnPath: text }),
  'signing up': (text) =>
    anonymous().post('/api/auth/sign-up/email', { name: text, email: `${text}@x.test`, password: text }),
  'a name at sign-up': (text) =>
    anonymous().post('/api/auth/sign-up/email', {
      name: text,
      email: `${crypto.randomUUID()}@x.test`,
      password: 'a-good-password',
    }),
  'signing in': (text) => anonymous().post('/api/auth/sign-in/email', { email: `${text}@x.test`, password: text }),
  'a new name': (text) => post('/api/auth/update-user', { name: text }),
  'a forgotten password': (text) => post('/api/auth/request-password-reset', { email: `${text}@x.test` }),
  'a new password': (text) => post('/api/auth/reset-password', { token: text, newPassword: 'a-good-password' }),
  'the consent page': (text) =>
    get(`/oauth/consent?client_id=${encoded(text)}&resource=${encoded(text)}&exp=9999999999`),
  'registering a client': (text) =>
    post('/api/auth/oauth2/register', { client_name: text, redirect_uris: ['https://x.test/cb'] }),
  'authorizing a client': (text) =>
    get(
      `/api/auth/oauth2/authorize?response_type=code&client_id=${encoded(text)}&state=${encoded(text)}&redirect_uri=${encoded(text)}`,
    ),
  'redeeming a code': (text) =>
    form('/api/auth/oauth2/token', { grant_type: 'authorization_code', code: text, client_id: text }),
  'refreshing a token': (text) =>
    form('/api/auth/oauth2/token', { grant_type: 'refresh_token', refresh_token: text, client_id: text }),
  'revoking a token': (text) => form('/api/auth/oauth2/revoke', { token: text, client_id: text }),
}

const anonymous = () => newCookieClient(webUrl)
const form = (path: string, members: Record<string, string>) =>
  fetch(webUrl + path, { method: 'POST', body: new URLSearchParams(members) })

/** Half a character cannot be written in an address. */
const encoded = (text: string) => encodeURIComponent(text.replaceAll(/[\ud800-\udfff]/gu, ''))

describe.each(Object.entries(odd))('%s', (_, text) => {
  it('never causes a 5xx, wherever it is sent', async () => {
    const statuses = await Promise.all(
      Object.entries(routes).map(async ([route, send]) => [route, (await send(text)).status] as const),
    )
    expect(statuses.filter(([, status]) => status >= 500)).toEqual([])
  })
})

it('reports an invalid cursor', async () => {
  const response = await get(`${space()}/conversations?before=1_${crypto.randomUUID()}`)
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ code: 'invalid_request' })
})

it('recognizes an invalid password reset link before its use', async () => {
  const response = await post('/api/account/reset-link', { token: 'x'.repeat(43) })
  expect(await response.json()).toEqual({ isGood: false })
  expect(
    (
      await ada.fetch('/api/account/reset-link', {
        method: 'POST',
        headers: json,
        body: '{"token":"x"}',
        origin: 'https://evil.example',
      })
    ).status,
  ).toBe(403)
})

/** Logins outlive what operators do: an upgrade, other secrets, a process that is killed. */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { join } from 'node:path'
import { testDatabase } from '@nmg/process/testing'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresGrants } from '@/authorization-server/grants.ts'
import { buildApp } from '@/test/support/built-app.ts'
import { deploymentSecrets, freePort, startProcess, type RunningProcess } from '@/test/support/product.ts'
import type { Tokens } from './client-user.ts'

/** What is in `release-0.1.sql`. */
const ADA = {
  id: 'b7b8ae9c-d9de-4db3-ab16-29a05174ad52',
  spaceId: '06129497-6f47-49d5-bc6c-b492a691053d',
  cookie: 'better-auth.session_token=iarWIfnzyauGWffsFozNbfC28G1TwLjL.BiOvvN6Z%2BHoiqvy3lc6NQplIA7t0PIvlLhQA51YFqnU%3D',
}
const KID = 'a0f5b47f-5cb3-4333-8ec9-c65c0f53e042'
const RESOURCE = `https://gateway.test/mcp/notion/spaces/${ADA.spaceId}`
const PUBLIC = { clientId: 'tHVyLjIZVrxkp7IlSiqLkfFcNd_oYgMH', refreshToken: 'SpLoSMeUIfjROAfmdVFYsgWGUSzcolIa' }
const CONFIDENTIAL = {
  clientId: 'qi1Q3Be5-D5whx8dAVHvfq8SQlc2_p9o',
  secret: 'j-JPQqf87wF44V8lY6vcdy2-rJBy_UpS3hDOn30S1aA',
  refreshToken: 'OTasAypSnIythlGHeqlgqncadlbYWGcd',
}
const [OLD, NEW, OTHER] = [
  deploymentSecrets.AUTH_SECRET,
  'a-new-auth-secret-0123456789',
  'another-auth-secret-0123456789',
]

interface WebApp extends RunningProcess {
  readonly url: string
}

let database: Pool
let databaseUrl = ''
let webUrl = ''
let gatewayPort = 0
const running: WebApp[] = []

/** A process of the web app, beside the others, on a port of its own. All of them are known by the first one's address. */
async function startWeb(secrets: Record<string, string>): Promise<WebApp> {
  const { AUTH_SECRET: _, ...others } = deploymentSecrets
  const port = await freePort()
  webUrl ||= `http://localhost:${port}`
  const web = await startProcess('apps/web/main.ts', '"web.listening"', {
    PORT: String(port),
    WEB_URL: webUrl,
    CUDU_ENDPOINT: `http://localhost:${gatewayPort}`,
    GATEWAY_PUBLIC_URL: 'https://gateway.test',
    DATABASE_URL: databaseUrl,
    ...others,
    ...secrets,
  })
  const app = { ...web, url: `http://localhost:${port}` }
  running.push(app)
  return app
}

beforeAll(async () => {
  await buildApp()
  databaseUrl = (await testDatabase()).url
  gatewayPort = await freePort()
  database = new Pool({ connectionString: databaseUrl })
  await database.query(await readFile(join(import.meta.dirname, 'release-0.1.sql'), 'utf8'))
  await database.query(`update web."oauthRefreshToken" set "expiresAt" = now() + interval '60 days'`)
  await database.query(`update web.session set "expiresAt" = now() + interval '6 days', "updatedAt" = now()`)
})
afterAll(async () => {
  await Promise.all(running.map((web) => web.kill()))
  await database.end()
})

async function refresh({ url }: WebApp, form: Record<string, string>, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/api/auth/oauth2/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams({ grant_type: 'refresh_token', ...form }),
  })
  if (!response.ok) throw new Error(`the refresh answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as Tokens
}
/** Verified as the gateway does, with the keys that this process publishes. */
const verified = async ({ url }: WebApp, token: string) =>
  (
    await jwtVerify(token, createRemoteJWKSet(new URL(`${url}/api/auth/jwks`)), {
      issuer: `${webUrl}/api/auth`,
      audience: RESOURCE,
    })
  ).payload
const sessionOf = async ({ url }: WebApp) =>
  (await (await fetch(`${url}/api/auth/get-session`, { headers: { cookie: ADA.cookie } })).json()) as {
    user: { id: string }
  } | null

describe('a database of the release before', () => {
  let first: WebApp
  let current = ''
  beforeAll(async () => {
    first = await startWeb({ AUTH_SECRET: OLD })
  })

  it('keeps public and confidential clients working', async () => {
    const tokens = await refresh(first, { client_id: PUBLIC.clientId, refresh_token: PUBLIC.refreshToken })
    expect(await verified(first, tokens.access_token)).toMatchObject({
      sub: ADA.id,
      space_id: ADA.spaceId,
      client_id: PUBLIC.clientId,
      scope: 'notion:read notion:write offline_access',
    })
    // The same key under the same name: tokens that are out stay good, and the gateway need not ask.
    expect(decodeProtectedHeader(tokens.access_token).kid).toBe(KID)
    current = tokens.refresh_token

    const basic = Buffer.from(`${CONFIDENTIAL.clientId}:${CONFIDENTIAL.secret}`).toString('base64')
    const authorization = { authorization: `Basic ${basic}` }
    const confidential = await refresh(first, { refresh_token: CONFIDENTIAL.refreshToken }, authorization)
    expect(confidential.scope).toBe('notion:read offline_access')
    await expect(
      refresh(first, { refresh_token: confidential.refresh_token, client_id: CONFIDENTIAL.clientId }),
    ).rejects.toThrow('invalid_client')
    const { rows } = await database.query('select * from web.oauth_client')
    expect(JSON.stringify(rows)).not.toContain(CONFIDENTIAL.secret)
  })

  it('keeps each grant with its data', async () => {
    const { rows } = await database.query(
      'select client_id, resource, scope from web.oauth_grant where user_id = $1 order by scope',
      [ADA.id],
    )
    expect(rows).toEqual([
      { client_id: PUBLIC.clientId, resource: RESOURCE, scope: 'notion:read notion:write offline_access' },
      { client_id: CONFIDENTIAL.clientId, resource: RESOURCE, scope: 'notion:read offline_access' },
    ])
  })

  it('keeps logins while secrets are added and removed', async () => {
    const second = await startWeb({ AUTH_SECRETS: `${NEW},${OLD}` })
    for (const web of [first, second, second, first]) {
      const tokens = await refresh(web, { client_id: PUBLIC.clientId, refresh_token: current })
      current = tokens.refresh_token
      for (const each of [first, second]) {
        expect(await verified(each, tokens.access_token)).toMatchObject({ sub: ADA.id })
        expect((await sessionOf(each))?.user.id).toBe(ADA.id)
      }
    }
    // One response is lost in the change.
    const lost = await refresh(first, { client_id: PUBLIC.clientId, refresh_token: current })
    await first.kill()
    const again = await refresh(second, { client_id: PUBLIC.clientId, refresh_token: current })
    expect(again.refresh_token).toBe(lost.refresh_token)
    current = again.refresh_token
  })

  it('keeps logins even if all secrets change, and logs it', async () => {
    const third = await startWeb({ AUTH_SECRETS: OTHER })
    const tokens = await refresh(third, { client_id: PUBLIC.clientId, refresh_token: current })
    expect(await verified(third, tokens.access_token)).toMatchObject({ sub: ADA.id })
    expect(decodeProtectedHeader(tokens.access_token).kid).not.toBe(KID)
    expect(third.output()).toContain('"oauth.key_unreadable"')
    expect(third.output()).not.toContain(OTHER)
    // The library has nothing to add that is no line of the log.
    expect(third.output()).not.toContain('oidc-provider')
    const { rows } = await database.query('select sealed from web.oauth_key')
    expect(JSON.stringify(rows)).not.toContain('"d"')
    current = tokens.refresh_token
  })

  it('rotates the signing key after 30 days and still publishes the old one', async () => {
    const kids = async (web: WebApp) => {
      const { keys } = (await (await fetch(`${web.url}/api/auth/jwks`)).json()) as {
        keys: { kid: string; d?: string }[]
      }
      expect(keys.every((key) => !('d' in key))).toBe(true)
      return keys.map(({ kid }) => kid)
    }
    const web = running.at(-1) as WebApp
    const before = await refresh(web, { client_id: PUBLIC.clientId, refresh_token: current })
    await web.kill()
    await database.query(`update web.oauth_key set created_at = created_at - interval '31 days'`)
    const next = await startWeb({ AUTH_SECRETS: OTHER })
    const announced = await refresh(next, { client_id: PUBLIC.clientId, refresh_token: before.refresh_token })
    const { kid } = decodeProtectedHeader(before.access_token)
    // The new one is known to everybody before it signs.
    expect(decodeProtectedHeader(announced.access_token).kid).toBe(kid)
    const published = await kids(next)
    expect(published).toContain(kid)
    expect(published.length).toBeGreaterThan(1)
    expect(await verified(next, before.access_token)).toMatchObject({ sub: ADA.id })
  })
})

describe('a membership that ends', () => {
  const told: unknown[] = []
  let gateway: Server | undefined
  const startGateway = async () => {
    gateway = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        told.push(JSON.parse(body))
        response.writeHead(204).end()
      })
    }).listen(gatewayPort)
    await once(gateway, 'listening')
  }
  afterAll(() => gateway?.close())
  const grantsLeft = async () => {
    const { rowCount } = await database.query('select from web.oauth_grant where user_id = $1', [ADA.id])
    return rowCount
  }

  it('is delivered to the gateway after a crash and an outage', async () => {
    const web = running.at(-1) as WebApp
    // However it ends: here with its space. The gateway does not answer.
    await database.query('delete from web.organization where id = $1', [ADA.spaceId])
    await web.kill()
    await startGateway()
    const after = await startWeb({ AUTH_SECRETS: OTHER })
    await expect.poll(() => told).toEqual([{ spaceId: ADA.spaceId, userId: ADA.id }])
    await expect.poll(grantsLeft).toBe(0)
    await after.kill()
  })

  it('is found by the daily check if missed', async () => {
    const grants = postgresGrants(database)
    await database.query(
      `insert into web.oauth_grant (client_id, user_id, space_id, resource, scope) values ($1, $2, $3, $4, 'notion:read')`,
      [PUBLIC.clientId, ADA.id, ADA.spaceId, RESOURCE],
    )
    expect(await grants.reconcile()).toBe(1)
    const { rows } = await database.query('select space_id, user_id, client_id, grant_id from web.ended_access')
    expect(rows).toEqual([{ space_id: ADA.spaceId, user_id: ADA.id, client_id: null, grant_id: null }])
  })
})

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

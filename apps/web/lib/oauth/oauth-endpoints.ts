import type { Pool } from 'pg'
import { SCHEMA } from '../database.ts'
import { causeOf, log } from '../log.ts'
import { authorizationRequest } from './authorization-request.ts'
import { CONSENT_PAGE, digest, ISSUER_PATH, withDecision, type Decision } from './authorization-server.ts'
import type { EndedAccess } from './ended-access.ts'
import { errorPage, knownClient, type KnownClientOptions } from './known-client.ts'
import { isLoopbackRedirect, isRegisteredRedirect, whyNotRedirect } from './client-registration.ts'
import { authorizationServerMetadata } from './metadata.ts'
import { sweep } from './sweep.ts'

const SWEEP_MS = 3_600_000
/** How long a refresh waits for the answer to another one of the same token, and how often it looks. */
const ROTATION_WAIT_MS = 2_000
const ROTATION_LOOK_MS = 50

export interface OAuthEndpointsOptions extends KnownClientOptions {
  /** better-auth, as it would answer by itself. */
  readonly accounts: (request: Request) => Promise<Response>
  readonly pool: Pool
  readonly webUrl: string
  readonly gatewayPublicUrl: string
  readonly endedAccess: EndedAccess
}

export interface OAuthEndpoints {
  /** Everything below `/api/auth`: what is OAuth's in the form that this product gives it, and the rest as better-auth has it. */
  handle(request: Request): Promise<Response>
  /** The authorization server's metadata, wherever it was asked for. */
  metadata(): Response
  /**
   * Carries out what the person decided. The caller has checked who it is, and that they belong to the space.
   *
   * @param asked The query that the consent page was opened with; signed by the authorization server.
   * @returns where the browser goes next; undefined when the request is not one of ours, or too old.
   */
  decide(headers: Headers, userId: string, asked: string, made: Decision): Promise<string | undefined>
  stop(): void
}

export function oauthEndpoints(options: OAuthEndpointsOptions): OAuthEndpoints {
  const { accounts, pool, webUrl, gatewayPublicUrl, endedAccess, documents, personOf } = options
  const issuer = webUrl + ISSUER_PATH
  const grants = grantsOf(pool)
  const getToKnow = knownClient({ documents, personOf })
  const sweeping = setInterval(() => {
    sweep(pool).catch((error: unknown) => {
      log.warn('oauth.not_swept', causeOf(error))
    })
  }, SWEEP_MS)
  sweeping.unref()

  const authorize = async (request: Request) => {
    if (request.method !== 'GET') return new Response(null, { status: 405, headers: { allow: 'GET' } })
    const { query, resource } = authorizationRequest(new URL(request.url).searchParams, gatewayPublicUrl)
    if (resource?.spaceId !== undefined) await grants.know(resource.url, resource.spaceId)
    const elsewhere = await getToKnow(request, query, resource)
    if (elsewhere !== undefined) return Response.redirect(webUrl + elsewhere, 302)
    // Not what would make the plugin answer anything but a redirect.
    const headers = chosenHeaders(request.headers, ['cookie', 'x-forwarded-for', 'user-agent'])
    const answer = await accounts(new Request(`${issuer}/oauth2/authorize?${query}`, { headers }))
    if (answer.status === 429) return Response.redirect(webUrl + errorPage('too_many'), 302)
    const location = new URL(answer.headers.get('location') ?? '', webUrl)
    const isOurs = location.origin === webUrl
    if (isOurs ? location.pathname === CONSENT_PAGE : isLoopbackRedirect(location.href)) return answer
    const { searchParams, hash } = location
    const found = searchParams.get('error') ?? new URLSearchParams(hash.slice(1)).get('error') ?? ''
    // The plugin takes an address that no client could have registered for a fault of the request's form.
    const error = isOurs && whyNotRedirect(query.get('redirect_uri') ?? '') ? 'invalid_redirect' : found
    // Better-auth's page for errors: whom the request cannot be answered to, the person is told. Nor does the browser go to strangers'
    // sites and applications without a word: anybody can register them (RFC 9700 §4.11.2).
    return Response.redirect(webUrl + errorPage(error, isOurs ? undefined : query), 302)
  }

  const token = async (request: Request) => {
    const body = await request.text()
    const form = new URLSearchParams(body)
    const ask = () => accounts(bare(request, body))
    const refreshToken = form.get('grant_type') === 'refresh_token' ? (form.get('refresh_token') ?? '') : ''
    const answer = refreshToken ? await refresh(refreshToken, ask) : await redeem(form.get('code') ?? '', ask)
    if (!answer.ok) return answer
    // Whoever has revoked the client may have done so since its code or token was looked at, and codes outlive what they were given for.
    const issued = (await answer.clone().json()) as { refresh_token?: string }
    if (await grants.isAllowed(issued.refresh_token ?? refreshToken)) return answer
    return Response.json(
      { error: 'invalid_grant', error_description: 'The person does not allow this client so much any more.' },
      { status: 400, headers: { 'cache-control': 'no-store' } },
    )
  }

  const redeem = async (code: string, ask: () => Promise<Response>) => {
    const redeemed = code ? await grants.ofCode(code) : undefined
    const answer = await ask()
    // A code that comes twice was seen by somebody else: what came of it ends, at the gateway too.
    if (redeemed && !answer.ok) await endedAccess.endClient(redeemed)
    return answer
  }

  const refresh = async (refreshToken: string, ask: () => Promise<Response>) => {
    const family = await grants.ofUsed(refreshToken)
    const answer = await rotate(refreshToken, ask)
    // A token that comes again long after its use was seen by somebody else, so the plugin has forgotten all that belong together.
    if (family.length > 0 && !(await grants.isKept(refreshToken))) await Promise.all(family.map(endedAccess.endClient))
    return answer
  }

  /** Two windows of one client that refresh at once get the same tokens; the plugin has them only after the first was answered. */
  const rotate = async (refreshToken: string, ask: () => Promise<Response>) => {
    const until = Date.now() + ROTATION_WAIT_MS
    for (;;) {
      const answer = await ask()
      if (answer.status !== 400 || Date.now() > until || !(await grants.wasJustRotated(refreshToken))) return answer
      await new Promise((resolve) => setTimeout(resolve, ROTATION_LOOK_MS))
    }
  }

  const revoke = async (request: Request) => {
    const body = await request.text()
    const refreshToken = new URLSearchParams(body).get('token') ?? ''
    const grant = await grants.ofRefreshToken(refreshToken)
    const answer = await accounts(bare(request, body))
    // The plugin knows who may revoke it, and did so or did not.
    if (grant && !(await grants.ofRefreshToken(refreshToken))) await endedAccess.endClient(grant)
    return answer
  }

  const register = async (request: Request) => accounts(bare(request, await request.text()))

  const metadata = () =>
    Response.json(authorizationServerMetadata(webUrl, { hasDocuments: documents?.isOffered() === true }), {
      headers: { 'cache-control': 'max-age=60' },
    })

  const openToAll: Record<string, (request: Request) => Promise<Response>> = {
    '/oauth2/token': token,
    '/oauth2/revoke': revoke,
    '/oauth2/register': register,
    '/jwks': accounts,
    '/.well-known/oauth-authorization-server': async () => metadata(),
  }

  return {
    async handle(request) {
      const path = new URL(request.url).pathname.slice(ISSUER_PATH.length)
      if (path === '/oauth2/authorize') return authorize(request)
      const open = openToAll[path]
      if (open)
        return request.method === 'OPTIONS'
          ? openAnswer(new Response(null, { status: 204 }))
          : openAnswer(await open(request))
      return accounts(request)
    },

    metadata: () => openAnswer(metadata()),

    async decide(headers, userId, asked, made) {
      const asking = new URLSearchParams(asked)
      const clientId = asking.get('client_id') ?? ''
      // What describes the client may say something else by now than when the page was opened.
      if (!(await grants.isRedirectOf(clientId, asking.get('redirect_uri') ?? ''))) return undefined
      const request = new Request(`${issuer}/oauth2/consent`, {
        method: 'POST',
        headers: {
          ...chosenHeaders(headers, ['cookie', 'x-forwarded-for', 'user-agent']),
          origin: webUrl,
          'content-type': 'application/json',
          accept: 'application/json',
        },
        body: JSON.stringify({
          accept: made.allow,
          oauth_query: asked,
          ...(made.allow && { scope: made.scopes.join(' ') }),
        }),
      })
      const answer = await withDecision(made, () => accounts(request))
      const body = (await answer.json().catch(() => undefined)) as { url?: unknown } | undefined
      if (!answer.ok || typeof body?.url !== 'string') return undefined
      if (made.allow) await grants.endWider({ spaceId: made.spaceId, userId, clientId }, made.scopes)
      return body.url
    },

    stop: () => clearInterval(sweeping),
  }
}

/** Clients that run in web pages may read these answers. They depend on no cookie: see {@link bare}. */
function openAnswer(answer: Response): Response {
  const open = new Response(answer.body, answer)
  open.headers.set('access-control-allow-origin', '*')
  open.headers.set('access-control-allow-methods', 'GET, POST')
  open.headers.set('access-control-allow-headers', 'authorization, content-type, mcp-protocol-version')
  open.headers.set('access-control-max-age', '600')
  return open
}

/** A client's request without what the browser that it may run in adds by itself. */
const bare = (request: Request, body: string) =>
  new Request(request.url, {
    method: request.method,
    headers: chosenHeaders(request.headers, [
      'authorization',
      'content-type',
      'accept',
      'x-forwarded-for',
      'user-agent',
    ]),
    ...(request.method === 'POST' && { body }),
  })

function chosenHeaders(headers: Headers, names: readonly string[]): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => names.includes(name)))
}

interface Grant {
  readonly spaceId: string
  readonly userId: string
  readonly clientId: string
}

/** What the plugin's tables say of grants and their tokens. */
function grantsOf(pool: Pool) {
  const grantWhere = async (condition: string, value: string): Promise<Grant | undefined> => {
    const { rows } = await pool.query<Grant>(
      `select "referenceId" as "spaceId", "userId"::text as "userId", "clientId"
       from ${SCHEMA}."oauthRefreshToken" where "referenceId" is not null and ${condition} limit 1`,
      [value],
    )
    return rows[0]
  }
  return {
    async isRedirectOf(clientId: string, redirectUri: string): Promise<boolean> {
      const { rows } = await pool.query<{ uris: string[] }>(
        `select "redirectUris" as uris from ${SCHEMA}."oauthClient" where "clientId" = $1`,
        [clientId],
      )
      return rows[0] !== undefined && isRegisteredRedirect(rows[0].uris, redirectUri)
    },
    ofCode: (code: string) => grantWhere(`"authorizationCodeId" = $1`, digest(code)),
    /** Undefined for one that is no longer good. */
    ofRefreshToken: (token: string) => grantWhere(`revoked is null and token = $1`, digest(token)),

    /** All that belongs to a refresh token which was used before: what its client has of its person, in each space. */
    async ofUsed(token: string): Promise<Grant[]> {
      const { rows } = await pool.query<Grant>(
        `select distinct each."referenceId" as "spaceId", each."userId"::text as "userId", each."clientId"
         from ${SCHEMA}."oauthRefreshToken" used join ${SCHEMA}."oauthRefreshToken" each using ("clientId", "userId")
         where used.token = $1 and used.revoked is not null and each."referenceId" is not null`,
        [digest(token)],
      )
      return rows
    },

    async isKept(token: string): Promise<boolean> {
      const { rowCount } = await pool.query(`select from ${SCHEMA}."oauthRefreshToken" where token = $1`, [
        digest(token),
      ])
      return rowCount !== 0
    },

    /** Whether the person allows all that this refresh token is good for. One that is not allowed goes. */
    async isAllowed(token: string): Promise<boolean> {
      const { rowCount } = await pool.query(
        `select from ${SCHEMA}."oauthRefreshToken" refresh
           join ${SCHEMA}."oauthConsent" consent using ("clientId", "userId", "referenceId")
         where refresh.token = $1 and refresh.scopes::jsonb <@ consent.scopes::jsonb`,
        [digest(token)],
      )
      if (rowCount !== 0) return true
      await pool.query(`delete from ${SCHEMA}."oauthRefreshToken" where token = $1`, [digest(token)])
      return false
    },

    async wasJustRotated(token: string): Promise<boolean> {
      const { rowCount } = await pool.query(
        `select from ${SCHEMA}."oauthRefreshToken" where token = $1 and "rotationReplayExpiresAt" > now()`,
        [digest(token)],
      )
      return rowCount !== 0
    },

    /** Who allows a client less than before means all that it has. */
    async endWider({ spaceId, userId, clientId }: Grant, scopes: readonly string[]): Promise<void> {
      await pool.query(
        `delete from ${SCHEMA}."oauthRefreshToken"
         where "referenceId" = $1 and "userId"::text = $2 and "clientId" = $3
           and not (scopes::jsonb <@ $4::jsonb)`,
        [spaceId, userId, clientId, JSON.stringify(scopes)],
      )
    },

    /** Makes the endpoint of a space one that tokens are issued for. For spaces that exist, so that nobody fills the table. */
    async know(url: string, spaceId: string): Promise<void> {
      await pool.query(
        `insert into ${SCHEMA}."oauthResource" (id, identifier, name, "createdAt", "updatedAt")
         select gen_random_uuid(), $1, $1, now(), now() from ${SCHEMA}.organization where id::text = $2
         on conflict (identifier) do nothing`,
        [url, spaceId],
      )
    },
  }
}

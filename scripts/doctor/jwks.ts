import { z } from 'zod'
import type { Check, Context } from './context.ts'
import type { Gateway } from './installation.ts'
import { codeOf } from './processes.ts'
import { guardedFetches, isLoopback, issuerMetadataLocations, createSsrfGuard, type TrustedIssuer } from './parts.ts'
import { findingsOf, type Finding } from './report.ts'

const { ok, error, notChecked } = findingsOf('jwks')

const TIMEOUT_MS = 5_000

/** The public keys of the authorization servers that the gateway trusts, as the gateway fetches them. */
export const checkJwks: Check = async ({ installation: { gateway, web }, databases }) => {
  if ('unknown' in gateway) return [notChecked('The keys of access tokens', `${gateway.unknown}.`)]
  const { tokenIssuers } = gateway.known.config
  if (tokenIssuers.length === 0) return [ok('No access tokens are accepted (CLIENT_TOKEN_ISSUERS=[]).')]
  const own = 'known' in web ? `${web.known.url}/api/auth` : undefined
  return Promise.all(
    tokenIssuers.map(async (trusted) => {
      const published = await publishedBy(trusted, gateway.known)
      // Afterwards: the first request creates the keys.
      const stored = trusted.issuer === own ? await storedKeys(databases.web) : undefined
      return judgeJwks(trusted.issuer, published, stored)
    }),
  )
}

/** Ids of keys, or the reason why there are none. */
export type PublishedKeys = { readonly kids: readonly string[] } | { readonly refused: string }

export interface StoredKeys {
  /** Of all signing keys in the web app's database. */
  readonly all: readonly string[]
  /** Must be published; undefined if the web app has created none. */
  readonly newest: string | undefined
}

async function storedKeys(web: Context['databases']['web']): Promise<StoredKeys | undefined> {
  if (!('sql' in web)) return undefined
  const { rows: there } = await web.sql.query<{ there: boolean }>(
    `select to_regclass('web.oauth_key') is not null as there`,
  )
  if (!there[0]?.there) return undefined
  const { rows } = await web.sql.query<{ id: string; retired: boolean }>(
    `select id, retired_at is not null as retired from web.oauth_key where purpose = 'sign' order by created_at desc, id`,
  )
  return { all: rows.map(({ id }) => id), newest: rows.find(({ retired }) => !retired)?.id }
}

const Metadata = z.object({ issuer: z.string(), jwks_uri: z.url() })
const Jwks = z.object({ keys: z.array(z.looseObject({ kid: z.string().default('') })) })

async function publishedBy({ issuer, jwksUri }: TrustedIssuer, { config }: Gateway): Promise<PublishedKeys> {
  const guard = createSsrfGuard({
    alsoAllow: isLoopback(new URL(issuer)) ? ['loopback'] : [],
    trustedOrigins: [issuer, jwksUri].flatMap((url) => (url === undefined ? [] : [new URL(url).origin])),
  })
  const fetch = guardedFetches(guard, config.proxies)({ timeoutMs: TIMEOUT_MS })
  const json = async (url: string): Promise<unknown> => {
    const response = await fetch(url, { headers: { accept: 'application/json' } })
    if (response.status !== 200) throw Object.assign(new Error('refused'), { code: `status ${response.status}` })
    return response.json()
  }
  let refused = 'no metadata'
  try {
    if (jwksUri !== undefined) return { kids: Jwks.parse(await json(jwksUri)).keys.map(({ kid }) => kid) }
    for (const { url } of issuerMetadataLocations(new URL(issuer))) {
      try {
        const metadata = Metadata.parse(await json(url.href))
        if (metadata.issuer !== issuer) refused = `its metadata names another issuer`
        else return { kids: Jwks.parse(await json(metadata.jwks_uri)).keys.map(({ kid }) => kid) }
      } catch (cause) {
        refused = codeOf(cause)
      }
    }
  } catch (cause) {
    refused = codeOf(cause)
  }
  return { refused }
}

export function judgeJwks(issuer: string, published: PublishedKeys, stored: StoredKeys | undefined): Finding {
  if ('refused' in published) {
    return error(
      `The gateway cannot fetch the keys of ${issuer} (${published.refused}), so MCP clients cannot log in.`,
      {
        detail: 'The gateway uses the public name, which has to lead to the web app from the gateway’s host, too.',
        change: 'NOTION_MCP_RETURN_BASE_URL=…   # or CLIENT_TOKEN_ISSUERS, with jwksUri',
      },
    )
  }
  const { kids } = published
  if (stored === undefined || stored.newest === undefined)
    return ok(`${issuer} publishes ${counted(kids)}, which were not compared with the web app’s database.`)
  const foreign = kids.filter((kid) => !stored.all.includes(kid))
  if (foreign.length > 0 || kids.length === 0) {
    return error(`The keys that ${issuer} publishes are not those of this web app’s database.`, {
      detail: 'The public name leads to another installation, or the web app uses another database.',
      change: 'WEB_URL=…   # or DATABASE_URL of the web app',
    })
  }
  if (!kids.includes(stored.newest)) {
    return error(`${issuer} does not publish the newest key.`, {
      detail: 'A cache in front of the web app serves an older document; it must not cache below /api/.',
    })
  }
  return ok(`${issuer} publishes ${counted(kids)}, all of the web app’s database.`)
}

const counted = ({ length }: readonly string[]): string => `${length} ${length === 1 ? 'key' : 'keys'}`

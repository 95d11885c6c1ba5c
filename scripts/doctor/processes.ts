import { z } from 'zod'
import type { Check, Context } from './context.ts'
import type { Opened } from './databases.ts'
import { isDirect } from './forwarding.ts'
import { probe } from './probe.ts'
import { findingsOf, type Finding } from './report.ts'

const { ok, warning, error, notChecked } = findingsOf('processes')

const TIMEOUT_MS = 5_000

const Readiness = z.object({
  degraded: z.array(z.object({ part: z.string(), detail: z.string() })).default([]),
  detail: z.string().optional(),
})

/** Checks that the processes run and are ready: the gateway at the web app's address for it, the web app at its public address. */
export const checkProcesses: Check = async (context) => {
  const { gateway, web } = context.installation
  const gatewayAt =
    'known' in web
      ? web.known.settings.CUDU_ENDPOINT
      : 'known' in gateway
        ? localAddress(gateway.known.config.HOST, gateway.known.config.PORT)
        : undefined
  return [
    ...(gatewayAt === undefined
      ? [notChecked('The gateway', 'Its address is not known.')]
      : await readinessFindings('gateway', gatewayAt, 'known' in web ? 'CUDU_ENDPOINT' : 'PORT')),
    ...('known' in web
      ? await readinessFindings('web app', web.known.url, 'WEB_URL')
      : [notChecked('The web app', `${web.unknown}.`)]),
    ...(await throughCuduEndpoint(context)),
  ]
}

function localAddress(host: string, port: number): string {
  const name = ['0.0.0.0', '::', '127.0.0.1', '::1'].includes(host) ? 'localhost' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}

async function readinessFindings(name: string, address: string, setting: string): Promise<Finding[]> {
  let response: Response
  try {
    response = await fetch(new URL('/readyz', address), { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'manual' })
  } catch (cause) {
    return [
      error(`The ${name} does not respond at ${address} (${codeOf(cause)}).`, {
        detail: `Start it, or correct ${setting}.`,
        change: `${setting}=…`,
      }),
    ]
  }
  const { success, data } = Readiness.safeParse(await response.json().catch(() => undefined))
  if (!success)
    return [
      error(`The server at ${address} is not the ${name} (status ${response.status}).`, { change: `${setting}=…` }),
    ]
  if (response.status !== 200)
    return [
      error(`The ${name} is not ready (status ${response.status}).`, {
        ...(data.detail !== undefined && { detail: data.detail }),
      }),
    ]
  return data.degraded.length === 0
    ? [ok(`The ${name} is ready.`)]
    : data.degraded.map(({ part, detail }) => warning(`The ${name} works without a part: ${part}.`, { detail }))
}

export function codeOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (typeof code === 'string') return code
  }
  return error instanceof Error ? error.name : 'unknown'
}

/** Checks the gateway through the web app's address for it: the token, and whether the address is only one of several gateways. */
async function throughCuduEndpoint({ installation: { gateway, web }, databases, now }: Context): Promise<Finding[]> {
  if ('unknown' in web || web.known.serviceToken === undefined) return []
  const { CUDU_ENDPOINT: endpoint } = web.known.settings
  const found = await probe('gateway', endpoint, web.known.serviceToken, now)
  // The readiness check has reported that already.
  if ('unreachable' in found) return []
  if (!('seen' in found)) {
    return [
      error(`The gateway at CUDU_ENDPOINT does not know the web app’s service token (status ${found.status}).`, {
        change: 'GATEWAY_SERVICE_TOKEN=<the same for both processes>',
      }),
    ]
  }
  const workers = 'known' in gateway ? gateway.known.config.WORKERS : 1
  const live = await liveGateways(databases.gateway)
  if (!isDirect(found.seen, found.own) || live <= workers)
    return [ok('The web app reaches the gateway with its service token.')]
  return [
    warning(`CUDU_ENDPOINT is one of ${live} gateways: while it restarts, pages work without Notion.`, {
      detail: 'Use the address of a load balancer. A Kubernetes Service is one; ignore this warning then.',
      change: 'CUDU_ENDPOINT=http://<balancer>:8000',
    }),
  ]
}

async function liveGateways(database: Opened): Promise<number> {
  if (!('sql' in database)) return 0
  const { rows } = await database.sql.query<{ count: number }>(
    `select count(*)::int as count from gateway.replicas where seen_at > clock_timestamp() - interval '30 seconds'`,
  )
  return rows[0]?.count ?? 0
}

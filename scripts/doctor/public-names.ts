import type { Check, Context } from './context.ts'
import { judgeClientAddress, judgeHost, judgeStreaming } from './forwarding.ts'
import type { Gateway, Web } from './installation.ts'
import { isLoopback, type ProbedProcess } from './parts.ts'
import { probe, type Probe } from './probe.ts'
import { findingsOf, type Finding } from './report.ts'

const proxy = findingsOf('proxy')
const streaming = findingsOf('streaming')

interface Target {
  readonly process: ProbedProcess
  readonly name: string
  readonly setting: string
  readonly origin: string
  readonly serviceToken: string
}

/** Checks the headers that arrive through the public names. */
export const checkProxy: Check = async (context) => {
  const findings = targetsOf(context).map(async ([name, target]) => {
    if (typeof target === 'string') return [proxy.notChecked(`What the ${name} sees of requests`, `${target}.`)]
    const found = await context.probes(target)
    return 'seen' in found ? headerFindings(context, target, found) : [unanswered(target, found)]
  })
  return (await Promise.all(findings)).flat()
}

/** Checks that events arrive one at a time through the public names. */
export const checkStreaming: Check = async (context) => {
  const findings = targetsOf(context).map(async ([name, target]) =>
    typeof target === 'string'
      ? streaming.notChecked(`Streaming of the ${name}`, `${target}.`)
      : streamingFinding(context, target),
  )
  return Promise.all(findings)
}

async function streamingFinding({ probes, now }: Context, target: Target): Promise<Finding> {
  const { name, origin, process, serviceToken } = target
  const found = await probes(target)
  if (!('seen' in found))
    return streaming.notChecked(`Streaming of the ${name}`, `The probe of ${origin} got no response; see proxy.`)
  const finding = judgeStreaming(name, origin, found.arrivals)
  if (finding.status !== 'error') return finding
  // A briefly busy machine delays events as well.
  const again = await probe(process, origin, serviceToken, now)
  return 'seen' in again ? judgeStreaming(name, origin, again.arrivals) : finding
}

/** The addresses to probe, or the reason why one cannot be probed. */
function targetsOf({ installation: { gateway, web } }: Context): [name: string, target: Target | string][] {
  const noToken = 'GATEWAY_SERVICE_TOKEN does not exist yet; the first start generates it'
  return [
    [
      'web app',
      'unknown' in web
        ? web.unknown
        : web.known.serviceToken === undefined
          ? noToken
          : {
              process: 'web',
              name: 'web app',
              setting: 'WEB_URL',
              origin: web.known.url,
              serviceToken: web.known.serviceToken,
            },
    ],
    [
      'gateway',
      'unknown' in gateway ? gateway.unknown : gateway.known.hasServiceToken ? gatewayTarget(gateway.known) : noToken,
    ],
  ]
}

const gatewayTarget = ({ config }: Gateway): Target => ({
  process: 'gateway',
  name: 'gateway',
  setting: 'GATEWAY_PUBLIC_URL',
  origin: config.publicUrl.origin,
  serviceToken: config.serviceTokens[0]?.reveal() ?? '',
})

function headerFindings(
  { installation }: Context,
  { process, origin }: Target,
  found: Extract<Probe, { seen: object }>,
): Finding[] {
  const { gateway, web } = installation
  if (process === 'gateway')
    return [
      judgeHost({ seen: found.seen, origin }, 'known' in gateway && refusesOtherHosts(gateway.known, found.seen.host)),
    ]
  const trustedProxies = 'known' in web ? trustedBy(web.known) : []
  return [judgeHost({ seen: found.seen, origin }, false), judgeClientAddress({ ...found, origin, trustedProxies })]
}

const trustedBy = ({ settings }: Web): readonly string[] => settings.TRUSTED_PROXIES

/** The gateway's rule for names that MCP_ALLOWED_HOSTS does not list. */
function refusesOtherHosts({ config }: Gateway, host: string): boolean {
  const listens = URL.parse(`http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}`)
  const listed = config.MCP_ALLOWED_HOSTS.map((name) => name.toLowerCase())
  if (listens && !isLoopback(listens) && listed.length === 0) return false
  const arrived = URL.parse(`http://${host}`)
  return arrived !== null && !isLoopback(arrived) && !listed.includes(arrived.hostname)
}

function unanswered({ name, setting, origin }: Target, found: Exclude<Probe, { seen: object }>): Finding {
  const details = { change: `${setting}=…` }
  if ('unreachable' in found) {
    return proxy.error(`The ${name} cannot be reached at ${origin} (${found.unreachable}).`, {
      detail: `Start it, or correct ${setting}. If only this machine cannot reach its public name, run the doctor on a user’s machine.`,
      ...details,
    })
  }
  return proxy.error(`The server at ${origin} is not the ${name} of this installation (status ${found.status}).`, {
    detail:
      'The name leads to another host, the reverse proxy does not forward this path, or the process has another GATEWAY_SERVICE_TOKEN, an older release, or a clock that is wrong by minutes.',
    ...details,
  })
}

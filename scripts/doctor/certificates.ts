import { connect, type PeerCertificate } from 'node:tls'
import type { Check } from './context.ts'
import type { Installation } from './installation.ts'
import { findingsOf, type Finding } from './report.ts'

const { ok, warning, error, notChecked } = findingsOf('tls')

/** Checks the certificates of every https address in the settings, as the processes of this machine do. */
export const checkCertificates: Check = async ({ installation, now }) => {
  const addresses = addressesOf(installation).filter(({ url }) => url.protocol === 'https:')
  if (addresses.length === 0) return [notChecked('Certificates', 'No setting names an https address.')]
  return Promise.all(
    addresses.map(async ({ setting, url }) => judgeCertificate(setting, url, await certificateOf(url), now())),
  )
}

function addressesOf({ gateway, web }: Installation): { setting: string; url: URL }[] {
  const named: [string, string | undefined][] = [
    ...('known' in web
      ? ([
          ['WEB_URL', web.known.url],
          ['CUDU_ENDPOINT', web.known.settings.CUDU_ENDPOINT],
          ['OIDC_ISSUER', web.known.settings.OIDC_ISSUER],
        ] as [string, string | undefined][])
      : []),
    ...('known' in gateway
      ? ([
          ['GATEWAY_PUBLIC_URL', gateway.known.config.publicUrl.href],
          ...gateway.known.config.tokenIssuers.map(({ issuer }) => ['CLIENT_TOKEN_ISSUERS', issuer]),
        ] as [string, string][])
      : []),
  ]
  const byOrigin = new Map<string, { setting: string; url: URL }>()
  for (const [setting, text] of named) {
    const url = URL.parse(text ?? '')
    if (url && !byOrigin.has(url.origin)) byOrigin.set(url.origin, { setting, url })
  }
  return [...byOrigin.values()]
}

/** The TLS certificate of a server. */
export type Certificate =
  | { readonly unreachable: string }
  | { readonly refusal: string | undefined; readonly validTo: number; readonly issuer: string }

const TIMEOUT_MS = 5_000

function certificateOf({ hostname, port }: URL): Promise<Certificate> {
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return new Promise((resolve) => {
    // Reads an untrusted certificate too, and sends nothing over the connection.
    const socket = connect({ host, port: Number(port || 443), servername: host, rejectUnauthorized: false })
    const finish = (certificate: Certificate) => {
      socket.destroy()
      resolve(certificate)
    }
    socket.setTimeout(TIMEOUT_MS, () => finish({ unreachable: 'ETIMEDOUT' }))
    socket.on('error', (cause: NodeJS.ErrnoException) => finish({ unreachable: cause.code ?? cause.name }))
    socket.on('secureConnect', () => {
      const peer: Partial<PeerCertificate> = socket.getPeerCertificate()
      finish({
        refusal: socket.authorized ? undefined : codeOf(socket.authorizationError),
        validTo: Date.parse(peer.valid_to ?? ''),
        issuer: String(peer.issuer?.O ?? peer.issuer?.CN ?? 'unknown'),
      })
    })
  })
}

const codeOf = (refusal: unknown): string =>
  refusal instanceof Error ? ((refusal as NodeJS.ErrnoException).code ?? refusal.message) : String(refusal)

const DAY_MS = 24 * 3600_000
/** Automatic renewal happens earlier. */
const SOON_DAYS = 14

export function judgeCertificate(setting: string, url: URL, certificate: Certificate, now: number): Finding {
  const { origin, host } = url
  if ('unreachable' in certificate) {
    return notChecked(`The certificate of ${origin}`, `No TLS connection (${certificate.unreachable}).`)
  }
  const { refusal, validTo, issuer } = certificate
  const days = Math.floor((validTo - now) / DAY_MS)
  if (refusal === 'CERT_HAS_EXPIRED')
    return error(`The certificate of ${host} has expired.`, { detail: 'Renew it at the reverse proxy.' })
  if (refusal === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return error(`The certificate of ${host} is for another name.`, {
      detail: 'Correct it at the reverse proxy, or correct the setting.',
      change: `${setting}=…`,
    })
  }
  if (refusal !== undefined) {
    return error(`The certificate of ${host} is not trusted (${refusal}).`, {
      detail: `It was issued by “${issuer}”. Node reads the file at its start, so set it in the environment of both processes: .env is too late.`,
      change: 'NODE_EXTRA_CA_CERTS=/path/to/ca.pem',
    })
  }
  if (days < SOON_DAYS)
    return warning(`The certificate of ${host} expires in ${days} days.`, { detail: 'Renew it at the reverse proxy.' })
  return ok(`The certificate of ${host} is trusted, for ${days} days.`)
}

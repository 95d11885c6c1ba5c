import { existsSync, readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import type { Environments } from './installation.ts'
import type { Environment } from './parts.ts'
import { findingsOf, type Finding } from './report.ts'

/** Makes this process trust the NODE_EXTRA_CA_CERTS of the examined processes. @returns a function that undoes it. */
export function trustOwnAuthorities({ gateway, web }: Environments): () => void {
  const named = [gateway, web].flatMap((env) => env?.['NODE_EXTRA_CA_CERTS'] || [])
  const files = [...new Set(named)].filter((file) => existsSync(file))
  if (files.length === 0) return () => undefined
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, ...files.map((file) => readFileSync(file, 'utf8'))])
  return () => setDefaultCACertificates(before)
}

/** Node reads the setting from the environment at its start: separately started processes ignore it in `.env`. */
export function authoritiesTooLate(withFile: Environment, environment: Environment): Finding[] {
  if (!withFile['NODE_EXTRA_CA_CERTS'] || environment['NODE_EXTRA_CA_CERTS']) return []
  return [
    findingsOf('settings').warning(
      'NODE_EXTRA_CA_CERTS is set in .env, where npm run gateway and npm run web do not see it: Node reads it at its start.',
      { change: `export NODE_EXTRA_CA_CERTS='${withFile['NODE_EXTRA_CA_CERTS']}'` },
    ),
  ]
}

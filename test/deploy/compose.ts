import type { Environment } from '@nmg/process'
import { parseYaml, readDeployFile } from './files.ts'

export interface Service {
  readonly image: string
  readonly build?: { readonly dockerfile: string }
  readonly environment?: Environment
  readonly secrets?: readonly string[]
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly tmpfs?: readonly string[]
  readonly networks: readonly string[] | Readonly<Record<string, { ipv4_address?: string }>>
  readonly depends_on?: Readonly<Record<string, { condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly cap_add?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly stop_grace_period?: string
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { internal?: boolean; ipam?: { config: { subnet: string }[] } }>>
  readonly volumes: Readonly<Record<string, unknown>>
  readonly secrets: Readonly<Record<string, { file: string }>>
}

export const HOST = 'notion.example.com'

/** Replaces `${NAME}`, `${NAME:-default}` and `${NAME:?message}` as compose does. */
function interpolate(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind?: string, rest?: string) => {
    const value = env[name] ?? (kind === '-' ? rest : undefined)
    if (value === undefined) throw new Error(`${name} is not set`)
    return value
  })
}

const [document] = parseYaml(interpolate(readDeployFile('compose.yaml'), { DOMAIN: HOST }))
/** compose.yaml for that host, with its variables replaced. */
export const compose = document as Compose

export function service(name: string): Service {
  const found = compose.services[name]
  if (!found) throw new Error(`There is no service ${name}.`)
  return found
}

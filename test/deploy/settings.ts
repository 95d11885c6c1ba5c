import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { readSettings, type Environment } from '@nmg/process'
import { readConfig, Settings as GatewaySettings } from '../../apps/gateway/src/config.ts'
import { Settings as WebSettings } from '../../apps/web/lib/settings.ts'
import { deployFolder } from './files.ts'

export type Program = 'gateway' | 'web'

const SCHEMAS = { gateway: GatewaySettings, web: WebSettings }

/** Variables for Node itself, which the images set. */
const OF_NODE = ['NODE_ENV']

/** Variables that the process does not read, with or without `_FILE`. */
export function unknownSettings(program: Program, env: Environment): string[] {
  const known = new Set([...Object.keys(SCHEMAS[program].shape), ...OF_NODE])
  return Object.keys(env).filter((name) => !known.has(name) && !known.has(name.replace(/_FILE$/, '')))
}

/** The settings as the process reads them at its start, with secrets from the folder `secrets`. */
export function startSettings(program: Program, env: Environment, secrets: string): Record<string, unknown> {
  const mounted = withSecretsIn(secrets, env)
  if (program === 'web') return readSettings(WebSettings, mounted)
  return { ...readConfig(mounted, () => failForFolder()) }
}

/** The environment with its secrets in another folder, by the same file names. */
export function withSecretsIn(folder: string, env: Environment): Environment {
  return Object.fromEntries(
    Object.entries(env).map(([name, value = '']) =>
      name.endsWith('_FILE') ? [name, join(folder, basename(value))] : [name, value],
    ),
  )
}

/** Runs make-secrets.sh. */
export function makeSecrets(): { folder: string; names: string[]; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-secrets-'))
  execFileSync('sh', [join(deployFolder, 'make-secrets.sh'), folder])
  return { folder, names: readdirSync(folder), remove: () => rmSync(folder, { recursive: true }) }
}

/** Containers generate no secrets: all of them are settings. */
function failForFolder(): never {
  throw new Error('a secret is missing, which the gateway would generate into DATA_DIR')
}

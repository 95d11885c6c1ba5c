/** The settings of each process. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import type { Environments } from './installation.ts'
import { StartupError, type Environment } from './parts.ts'

export interface EnvironmentOptions {
  /** Files with the settings of one process each; they take precedence over the environment. */
  readonly gatewayFile?: string | undefined
  readonly webFile?: string | undefined
  /** The only process that the environment is meant for. */
  readonly process?: string | undefined
}

/**
 * With files, the processes that they are for; with `process`, that one; otherwise both, as `npm start` gives them the one environment.
 *
 * @throws {StartupError}
 */
export function environmentsFrom(base: Environment, options: EnvironmentOptions): Environments {
  const { gatewayFile, webFile, process: only } = options
  if (only !== undefined && only !== 'gateway' && only !== 'web') throw new StartupError('--process is gateway or web.')
  if (only !== undefined) return { [only]: base }
  if (gatewayFile === undefined && webFile === undefined) return asStarted(base)
  return {
    ...(gatewayFile !== undefined && { gateway: { ...base, ...read(gatewayFile) } }),
    ...(webFile !== undefined && { web: { ...base, ...read(webFile) } }),
  }
}

function read(path: string): Environment {
  try {
    // Relative to the folder in which npm was called.
    return parseEnv(readFileSync(resolve(process.env['INIT_CWD'] ?? '.', path), 'utf8'))
  } catch (cause) {
    throw new StartupError(`${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, { cause })
  }
}

/** As `npm start` (start.ts) does: both processes get the one environment, each with the other's address where that is not set. */
function asStarted(env: Environment): Environments {
  const host = ['127.0.0.1', '0.0.0.0', '::', '::1', undefined, ''].includes(env['HOST']) ? 'localhost' : env['HOST']
  const gatewayUrl = `http://${host}:${env['PORT'] || 8000}`
  const webUrl = env['WEB_URL'] || `http://${host}:${env['WEB_PORT'] || 3000}`
  const or = (name: string, value: string) => (env[name] || env[`${name}_FILE`] ? {} : { [name]: value })
  return {
    gateway: {
      ...env,
      ...or('NOTION_MCP_RETURN_BASE_URL', webUrl),
      ...or('GATEWAY_PUBLIC_URL', gatewayUrl),
      ...or('NOTION_MCP_OAUTH_REDIRECT_URI', `${gatewayUrl}/integrations/notion/mcp/oauth/callback`),
    },
    web: {
      ...env,
      PORT: env['WEB_PORT'] || '3000',
      ...or('WEB_URL', webUrl),
      ...or('CUDU_ENDPOINT', gatewayUrl),
      ...or('GATEWAY_PUBLIC_URL', gatewayUrl),
    },
  }
}

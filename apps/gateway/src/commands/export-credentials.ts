/**
 * Registers a client at the authorization server and prints it as `export` lines for a shell:
 *
 *     eval "$(npm run --silent export-notion-mcp-credentials)"
 *
 * Prints the client from the settings instead if there is one, unless `--force` is given.
 */
import { loadEnvFile, repositoryRoot, StartupError } from '@nmg/process'
import { oauthServer } from '../connections/oauth/authorization-server.ts'
import { oauthSettings, readConfig, type Config } from '../config.ts'
import { Failure } from '../platform/failure.ts'
import type { ClientRegistration } from '../connections/credential.ts'

try {
  const env = loadEnvFile(repositoryRoot, process.env)
  // This command stores nothing, so it needs neither keys nor a service token.
  const oauthSettings = Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => name.startsWith('NOTION_MCP_') || name === 'PORT' || /^\w+_PROXY(_FILE)?$/i.test(name),
    ),
  )
  const config = readConfig({ ...oauthSettings, ...notUsedHere() }, () => '')
  const known = process.argv.includes('--force') ? null : config.fixedClient
  process.stdout.write(exportLines(known ?? (await register(config))))
} catch (error) {
  if (!(error instanceof StartupError) && !(error instanceof Failure)) throw error
  process.stderr.write(`export-notion-mcp-credentials: ${error.message}\n`)
  process.exitCode = 1
}

function notUsedHere() {
  const key = Buffer.alloc(32).toString('base64')
  return { GATEWAY_SERVICE_TOKEN: 'not-used-by-this-command', CREDENTIAL_KEYS: `none:${key}` }
}

async function register(config: Config): Promise<ClientRegistration> {
  // A client whose credentials the operator stores is confidential, unless the settings specify otherwise.
  const authMethod = config.NOTION_MCP_TOKEN_AUTH_METHOD ?? 'client_secret_basic'
  const server = oauthServer({ ...oauthSettings(config), fixedClient: null, authMethod })
  return server.register(await server.discover())
}

function exportLines({ clientId, clientSecret, authMethod }: ClientRegistration): string {
  return Object.entries({
    NOTION_MCP_CLIENT_ID: clientId,
    NOTION_MCP_CLIENT_SECRET: clientSecret?.reveal() ?? '',
    NOTION_MCP_TOKEN_AUTH_METHOD: authMethod,
  })
    .map(([name, value]) => `export ${name}=${quoted(value)}\n`)
    .join('')
}

/** Quotes a value from the server for a shell's `eval`. */
function quoted(value: string): string {
  return /^[\w@%+=:,./-]*$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`
}

import type { Check } from './context.ts'
import { Failure, oauthServer, oauthSettings } from './parts.ts'
import { findingsOf } from './report.ts'

const { ok, error, notChecked } = findingsOf('notion')

/** Discovery of the MCP server's authorization server, as each consent does it. Registers nothing. */
export const checkNotion: Check = async ({ installation: { gateway } }) => {
  if ('unknown' in gateway) return [notChecked('Notion', `${gateway.unknown}.`)]
  const { config } = gateway.known
  const { host } = config.NOTION_MCP_SERVER_URL
  const proxy = config.proxies(config.NOTION_MCP_SERVER_URL)?.setting
  const way = proxy === undefined ? 'directly' : `through ${proxy}`
  try {
    const server = await oauthServer(oauthSettings(config)).discover()
    const needsRegistration =
      config.fixedClient === null && !(config.NOTION_MCP_CLIENT_METADATA_URL && server.takesMetadataDocuments)
    if (needsRegistration && server.registrationEndpoint === null) {
      return [error(`${host} registers no clients, and no fixed client is set.`, { change: 'NOTION_MCP_CLIENT_ID=…' })]
    }
    return [ok(`${host} is reached ${way}; its authorization server is ${new URL(server.issuer).host}.`)]
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause
    return [
      error(`${host} cannot be used, ${way}: ${cause.message}`, {
        change:
          proxy === undefined ? 'HTTPS_PROXY=http://proxy.example.com:3128   # if this network has one' : `${proxy}=…`,
      }),
    ]
  }
}

import type { Simulator } from 'notion-simulator'
import { freePort } from './gateway.ts'

/** Settings of a gateway with a client registered by its operator. */
export interface FixedClient {
  readonly PORT: string
  readonly NOTION_MCP_OAUTH_REDIRECT_URI: string
  readonly NOTION_MCP_CLIENT_ID: string
  readonly NOTION_MCP_CLIENT_SECRET: string
}

/** Registers a confidential client as an operator does. @returns the settings that use it. */
export async function fixedClient(notion: Simulator): Promise<FixedClient> {
  const port = await freePort()
  const redirectUri = `http://127.0.0.1:${port}/integrations/notion/mcp/oauth/callback`
  const response = await fetch(`${notion.url}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: [redirectUri], token_endpoint_auth_method: 'client_secret_basic' }),
  })
  const registered = (await response.json()) as { client_id: string; client_secret: string }
  return {
    PORT: String(port),
    NOTION_MCP_OAUTH_REDIRECT_URI: redirectUri,
    NOTION_MCP_CLIENT_ID: registered.client_id,
    NOTION_MCP_CLIENT_SECRET: registered.client_secret,
  }
}

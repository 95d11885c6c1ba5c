import { z } from 'zod'

/** The endpoint of the gateway that serves whichever space the access is for. */
const ANY_SPACE_PATH = '/mcp/notion/proxy'
const SPACE_PATH = '/mcp/notion/spaces/'

/** An MCP endpoint of the gateway, as clients name it when they ask for access ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)). */
export interface Resource {
  readonly url: string
  /** The space that the address names. Whether there is one is not said. */
  readonly spaceId: string | undefined
}

/** The endpoint of one space, exactly as the gateway expects it in a token. */
export const spaceResource = (gatewayPublicUrl: string, spaceId: string): string =>
  new URL(gatewayPublicUrl).origin + SPACE_PATH + encodeURIComponent(spaceId)

export const anySpaceResource = (gatewayPublicUrl: string): string => new URL(gatewayPublicUrl).origin + ANY_SPACE_PATH

/** The endpoint that `text` is the address of, letter by letter; undefined for everything else. */
export function resourceOf(gatewayPublicUrl: string, text: string): Resource | undefined {
  if (text === anySpaceResource(gatewayPublicUrl)) return { url: text, spaceId: undefined }
  const spaceId = text.slice(spaceResource(gatewayPublicUrl, '').length)
  if (!z.uuid().safeParse(spaceId).success || text !== spaceResource(gatewayPublicUrl, spaceId)) return undefined
  return { url: text, spaceId }
}

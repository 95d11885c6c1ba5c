import type { Secret } from '../platform/secret.ts'

/** Our registration at the authorization server ([RFC 7591 §3.2.1](https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1)). */
export interface ClientRegistration {
  readonly clientId: string
  readonly clientSecret: Secret | null
  readonly authMethod: 'none' | 'client_secret_basic' | 'client_secret_post'
}

/** The tokens of a grant and its client, the only one that can refresh it. */
export interface Credential {
  /** Null when the last token response had only a refresh token; calls then need a refresh first. */
  readonly accessToken: Secret | null
  /** Null when the server issued none; the credential then ends with its access token. */
  readonly refreshToken: Secret | null
  readonly client: ClientRegistration
}

export interface RenewableCredential extends Credential {
  readonly refreshToken: Secret
}

/** The workspace of a connection, as reported by Notion. */
export interface Workspace {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly botId?: string | undefined
}

import type { Secret } from '../platform/secret.ts'

/** Our registration at the authorization server ([RFC 7591 §3.2.1](https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1)). */
export interface ClientRegistration {
  readonly clientId: string
  readonly clientSecret: Secret | null
  readonly authMethod: 'none' | 'client_secret_basic' | 'client_secret_post'
}

/** What a grant lets us use. The client belongs to it for life: another client's refresh is refused. */
export interface Credential {
  /** Null when the last token response had a refresh token only: then there is nothing to call with before the next refresh. */
  readonly accessToken: Secret | null
  /** Null when the server gave none: then this credential ends with its access token. */
  readonly refreshToken: Secret | null
  readonly client: ClientRegistration
}

export interface RenewableCredential extends Credential {
  readonly refreshToken: Secret
}

/** Which workspace a connection reaches, as Notion itself says. */
export interface Workspace {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly botId?: string | undefined
}

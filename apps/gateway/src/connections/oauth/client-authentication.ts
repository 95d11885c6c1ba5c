/** Client authentication at the authorization server ([RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3)). */
import * as oauth from 'oauth4webapi'
import type { ClientRegistration } from '../credential.ts'
import type { Secret } from '../../platform/secret.ts'

export const asClient = (client: ClientRegistration): oauth.Client => ({ client_id: client.clientId })

export function clientAuth({ authMethod, clientSecret }: ClientRegistration): oauth.ClientAuth {
  if (authMethod === 'none' || clientSecret === null) return oauth.None()
  return authMethod === 'client_secret_basic' ? basic(clientSecret) : oauth.ClientSecretPost(clientSecret.reveal())
}

/**
 * Replaces oauth4webapi's encoding, which also escapes `-` and `_`: correct, but servers that do not decode would not recognize the client or
 * its secret. IDs and secrets rarely contain other special characters.
 */
const basic =
  (secret: Secret): oauth.ClientAuth =>
  (_as, client, _body, headers) => {
    const pair = `${formEncoded(client.client_id)}:${formEncoded(secret.reveal())}`
    headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`)
  }

/** [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1) */
const formEncoded = (text: string) => new URLSearchParams([['', text]]).toString().slice(1)

/** Placeholder */
import type { TokenForm } from './client-authentication.ts'
import type { AuthMethod } from './clients.ts'
import { OAuthError } from './oauth-error.ts'

export function refuseAssertion(method: AuthMethod, form: TokenForm): never {
  if (method === 'none') {
    throw new OAuthError('invalid_client', 'Enterprise-managed authorization requires client authentication', 401)
  }
  if (form.get('assertion') === undefined) throw new OAuthError('invalid_request', 'assertion is required')
  throw new OAuthError('invalid_grant', 'Invalid assertion')
}

import { AUTH_METHODS, GRANT_TYPES } from './client-registration.ts'
import { KNOWN_SCOPES } from './scopes.ts'

/** Authorization server metadata ([RFC 8414](https://www.rfc-editor.org/rfc/rfc8414)). */
export function authorizationServerMetadata(issuer: string, { hasDocuments }: { hasDocuments: boolean }) {
  return {
    issuer,
    authorization_endpoint: `${issuer}/oauth2/authorize`,
    token_endpoint: `${issuer}/oauth2/token`,
    registration_endpoint: `${issuer}/oauth2/register`,
    revocation_endpoint: `${issuer}/oauth2/revoke`,
    jwks_uri: `${issuer}/jwks`,
    scopes_supported: KNOWN_SCOPES,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: GRANT_TYPES,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: AUTH_METHODS,
    revocation_endpoint_auth_methods_supported: AUTH_METHODS,
    client_id_metadata_document_supported: hasDocuments,
    authorization_response_iss_parameter_supported: true,
  }
}

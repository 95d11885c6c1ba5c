import type { Client } from './clients.ts'
import type { CodeChallenge } from './grants.ts'

/** A validated authorization request. */
export type AuthorizationRequest = {
  client: Client
  redirectUri: string
  state?: string
  scope: string
  resources: string[]
  pkce?: CodeChallenge
  /** All parameters, for the form of the consent page. */
  parameters: URLSearchParams
}

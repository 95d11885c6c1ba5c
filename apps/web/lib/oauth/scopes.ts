import { Scope } from '@nmg/contract'

/** Asks for a refresh token. It says nothing about Notion, so people are not asked about it. */
export const OFFLINE = 'offline_access'

/** All that the authorization server knows. */
export const KNOWN_SCOPES = [...Scope.options, OFFLINE] as const

/** The scopes about Notion among those of a request; both, when it names none of them: many clients ask for what other servers have. */
export function notionScopes(requested: string | null | undefined): Scope[] {
  const words = new Set(requested?.split(' '))
  const known = Scope.options.filter((scope) => words.has(scope))
  return known.length > 0 ? known : [...Scope.options]
}

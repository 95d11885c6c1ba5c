import { Scope } from '@nmg/contract'

/** Requests a refresh token. It does not concern Notion, so the consent page does not show it. */
export const OFFLINE = 'offline_access'

/** All supported scopes. */
export const KNOWN_SCOPES = [...Scope.options, OFFLINE] as const

/** The scopes about Notion among the words of a `scope`; undefined when there are none, as if the parameter were absent. */
export function requestedScopes(scope: string | null | undefined): Scope[] | undefined {
  const words = new Set(scope?.split(' '))
  const known = Scope.options.filter((word) => words.has(word))
  return known.length > 0 ? known : undefined
}

/** The scopes about Notion that a login asks for; both, when it names none of them: many clients ask for what other servers have. */
export const notionScopes = (scope: string | null | undefined): Scope[] => requestedScopes(scope) ?? [...Scope.options]

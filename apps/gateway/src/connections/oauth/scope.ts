/** Scopes of the upstream's authorization server: lists of names separated by spaces ([RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)). */

/** Notion's only scope, which is also what a request without any gets. Naming it alone would bring nothing. */
export const IMPLIED_SCOPE = 'default'

/** More than anybody means, in characters. It stands in an address, and in every grant. */
const LONGEST_SCOPE = 4_000

/**
 * The names as one may send them, each once, as many as there is room for; null for none. A comma separates names as a space does: some
 * servers write lists so, and asked for such a list as one name they refuse it.
 */
export function scopeOf(names: readonly string[]): string | null {
  let scope = ''
  for (const name of new Set(names.flatMap(namesIn))) {
    const longer = scope === '' ? name : `${scope} ${name}`
    if (/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name) && longer.length <= LONGEST_SCOPE) scope = longer
  }
  return scope || null
}

/** All that is in any of them, as long as there is room; the first come first. */
export const unionOf = (...scopes: readonly (string | null)[]): string | null => scopeOf(scopes.flatMap(namesIn))

/** What of `wanted` is not in `had`; null for nothing. */
export function beyond(wanted: string | null, had: string | null): string | null {
  const names = new Set(namesIn(had))
  return scopeOf(namesIn(wanted).filter((name) => !names.has(name)))
}

/** What a challenge asks for ([RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3)); null for nothing in particular. */
export const challengedScope = (challenge: string): string | null =>
  scopeOf(namesIn(challengeParameter(challenge, 'scope') ?? null))

/** @returns a scope when the challenge says that the token is good, but not for this. */
export const missingScopes = (challenge: string): string | null =>
  challengeParameter(challenge, 'error') === 'insufficient_scope' ? challengedScope(challenge) : null

/** Names with a value, quoted or not, in turn: what looks like one inside of quotes is none. */
const PARAMETERS = /(?:^|[\s,])([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/g

/** A parameter of `WWW-Authenticate` ([RFC 9110 §11.2](https://www.rfc-editor.org/rfc/rfc9110#section-11.2)), the first of its name. */
export function challengeParameter(challenge: string, name: string): string | undefined {
  for (const [, found, quoted, plain] of challenge.matchAll(PARAMETERS)) {
    if (found?.toLowerCase() === name) return quoted?.replaceAll(/\\(.)/g, '$1') ?? plain
  }
  return undefined
}

const namesIn = (scope: string | null): string[] => scope?.split(/[\s,]+/).filter((name) => name !== '') ?? []

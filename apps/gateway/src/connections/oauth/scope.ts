/** Scopes of upstream's authorization server: names separated by spaces ([RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)). */

/** Notion's only scope and its default, so requesting it is redundant. */
export const IMPLIED_SCOPE = 'default'

/** Maximum length of a scope, which is part of a URL and of every grant. */
const MAX_SCOPE_LENGTH = 4_000

/**
 * Joins scope names without duplicates up to the maximum length; null for none. Commas count as separators, since some servers list scopes that
 * way and reject such a list as one name.
 */
export function joinScopes(names: readonly string[]): string | null {
  let scope = ''
  for (const name of new Set(names.flatMap(namesIn))) {
    const longer = scope === '' ? name : `${scope} ${name}`
    if (/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name) && longer.length <= MAX_SCOPE_LENGTH) scope = longer
  }
  return scope || null
}

/** The union of scopes in order of appearance, up to the maximum length. */
export const mergeScopes = (...scopes: readonly (string | null)[]): string | null => joinScopes(scopes.flatMap(namesIn))

/** The scopes of `minuend` that are not in `subtrahend`; null for none. */
export function subtractScopes(minuend: string | null, subtrahend: string | null): string | null {
  const names = new Set(namesIn(subtrahend))
  return joinScopes(namesIn(minuend).filter((name) => !names.has(name)))
}

/** The scope of a challenge ([RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3)); null for none. */
export const challengedScope = (challenge: string): string | null =>
  joinScopes(namesIn(challengeParameter(challenge, 'scope') ?? null))

/** The scope of an `insufficient_scope` challenge; null for other challenges. */
export const missingScopes = (challenge: string): string | null =>
  challengeParameter(challenge, 'error') === 'insufficient_scope' ? challengedScope(challenge) : null

/** Parameters with a token or quoted string as value. Text inside quoted strings is not matched. */
const PARAMETERS = /(?:^|[\s,])([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/g

/** A parameter of `WWW-Authenticate` ([RFC 9110 §11.2](https://www.rfc-editor.org/rfc/rfc9110#section-11.2)), the first of its name. */
export function challengeParameter(challenge: string, name: string): string | undefined {
  for (const [, found, quoted, plain] of challenge.matchAll(PARAMETERS)) {
    if (found?.toLowerCase() === name) return quoted?.replaceAll(/\\(.)/g, '$1') ?? plain
  }
  return undefined
}

const namesIn = (scope: string | null): string[] => scope?.split(/[\s,]+/).filter((name) => name !== '') ?? []

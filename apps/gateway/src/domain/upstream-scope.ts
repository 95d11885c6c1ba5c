/** Scopes of the upstream's authorization server: lists of names separated by spaces ([RFC 6749 §3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)). */

/** Notion's only scope, which is also what a request without any gets. Naming it would bring nothing. */
const IMPLIED_SCOPE = 'default'

/** More than anybody means, in characters: a server that goes on naming new ones is not followed for ever. */
const LONGEST_SCOPE = 2_000

/** The names as one may send them, each once; null for none. */
export function scopeOf(names: readonly string[]): string | null {
  const usable = names.filter((name) => name !== IMPLIED_SCOPE && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name))
  return [...new Set(usable)].join(' ') || null
}

/** All that is in any of them; what would make it too long is left out. */
export function unionOf(...scopes: readonly (string | null)[]): string | null {
  return scopes.reduce((all, more) => {
    const union = scopeOf([...namesIn(all), ...namesIn(more)])
    return union !== null && union.length > LONGEST_SCOPE ? all : union
  }, null)
}

/** Whether `wanted` has something that `had` lacks. */
export function goesBeyond(wanted: string, had: string | null): boolean {
  const names = new Set(namesIn(had))
  return namesIn(wanted).some((name) => !names.has(name))
}

/** What a challenge asks for ([RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3)); null for nothing in particular. */
export const challengedScope = (challenge: string): string | null =>
  scopeOf(namesIn(challengeParameter(challenge, 'scope') ?? null))

/** @returns a scope when the challenge says that the token is good, but not for this. */
export const lackingScope = (challenge: string): string | null =>
  challengeParameter(challenge, 'error') === 'insufficient_scope' ? challengedScope(challenge) : null

/** A parameter of `WWW-Authenticate` ([RFC 9110 §11.2](https://www.rfc-editor.org/rfc/rfc9110#section-11.2)), quoted or not. */
export function challengeParameter(challenge: string, name: string): string | undefined {
  const [, quoted, plain] =
    new RegExp(`(?:^|[\\s,])${name}\\s*=\\s*(?:"([^"]*)"|([^\\s",]+))`, 'i').exec(challenge) ?? []
  return quoted ?? plain
}

const namesIn = (scope: string | null): string[] => scope?.split(' ').filter((name) => name !== '') ?? []

/** PostgreSQL's texts have no place for this character, whatever the route. */
const NUL = '\u0000'

/** Whether a text with the character NUL is anywhere in a JSON value. */
export function containsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(NUL)
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, member]) => name.includes(NUL) || containsNul(member))
}

import { z } from 'zod'

/** The longest display name, in UTF-16 code units. */
export const LONGEST_NAME = 100

/**
 * What no display name contains: control characters and line breaks, lone surrogates, and format characters, which turn text around or hide in it.
 * The two joiners (U+200C, U+200D) stay allowed: Persian, the scripts of India and emoji need them.
 */
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/u

/** At least one character that can be seen. */
const VISIBLE = /(?!\p{Default_Ignorable_Code_Point})[^\p{C}\p{Z}\u2800]/u

/** The name of a person, space, key or client, as people may enter it; without blanks around it. */
export const DisplayName = z
  .string()
  .trim()
  .min(1, 'a name is needed')
  .max(LONGEST_NAME, `a name has at most ${LONGEST_NAME} characters`)
  .refine((name) => !FORBIDDEN.test(name), 'a name has no line breaks, control characters or invisible characters')
  .refine((name) => VISIBLE.test(name), 'a name needs a character that can be seen')

/**
 * A name from elsewhere (an identity provider, a client, an older release) as a display name: what is forbidden becomes a blank, and what
 * is too long is cut. Undefined when nothing is left.
 */
export function cleanDisplayName(given: unknown, longest = LONGEST_NAME): string | undefined {
  if (typeof given !== 'string') return undefined
  // Names are short: what follows must not cost time for a long text.
  const plain = given
    .slice(0, 10 * longest)
    .replaceAll(/(?:[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\s]|(?![\u200c\u200d])\p{Cf})+/gu, ' ')
    .trim()
  let name = ''
  for (const character of plain) {
    if (name.length + character.length > longest) break
    name += character
  }
  name = name.trim()
  return VISIBLE.test(name) ? name : undefined
}

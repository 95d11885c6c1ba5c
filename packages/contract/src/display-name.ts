import { z } from 'zod'

/** The longest display name, in UTF-16 code units. */
export const LONGEST_NAME = 100

/**
 * Characters that no display name contains: control characters, line breaks, lone surrogates, and format characters, which reorder text or are
 * invisible. The joiners U+200C and U+200D are allowed, because Persian, Indic scripts and emoji need them.
 */
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/u

/** At least one visible character. */
const VISIBLE = /(?!\p{Default_Ignorable_Code_Point})[^\p{C}\p{Z}\u2800]/u

/** The name of a user, space, key or client as entered by people; surrounding blanks are removed. */
export const DisplayName = z
  .string()
  .trim()
  .min(1, 'a name is needed')
  .max(LONGEST_NAME, `a name has at most ${LONGEST_NAME} characters`)
  .refine((name) => !FORBIDDEN.test(name), 'a name has no line breaks, control characters or invisible characters')
  .refine((name) => VISIBLE.test(name), 'a name needs a character that can be seen')

/**
 * Turns a name from another source (an identity provider, a client, an older release) into a display name: replaces forbidden characters by
 * blanks and truncates. Undefined when nothing visible is left.
 */
export function cleanDisplayName(given: unknown, longest = LONGEST_NAME): string | undefined {
  if (typeof given !== 'string') return undefined
  // Bound the cost of the following steps for long texts.
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

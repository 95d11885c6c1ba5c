/** A piece of text: as it is, or one character that no reader would see. */
export type TextPiece = { readonly text: string } | { readonly hidden: string; readonly name: string }

/**
 * One character without a shape of its own, or without one that can be relied on: controls, format characters (bidirectional, zero-width,
 * tags), line and paragraph separators, fillers, variation selectors, private use, unassigned, lone surrogates, the blank Braille pattern.
 * Tabs, line feeds and spaces are seen by their effect.
 */
const HIDDEN =
  /[\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]|(?![\n\t])\p{Cc}|(?<=\p{M}{6})\p{M}/gu

/** What emoji are made of: `❤` with its selector, people joined to a family. In such a place these characters are seen. */
const IN_EMOJI =
  /(?<=[\p{Extended_Pictographic}#*\d])\uFE0F|(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}]\uFE0F?)\u200D(?=\p{Extended_Pictographic})/gu

const NAMES: Readonly<Record<string, string>> = {
  '\0': 'null',
  '\b': 'backspace',
  '\r': 'carriage return',
  '\u001b': 'escape',
  '\u00ad': 'soft hyphen',
  '\u061c': 'Arabic letter mark',
  '\u200b': 'zero-width space',
  '\u200c': 'zero-width non-joiner',
  '\u200d': 'zero-width joiner',
  '\u200e': 'left-to-right mark',
  '\u200f': 'right-to-left mark',
  '\u2028': 'line separator',
  '\u2029': 'paragraph separator',
  '\u202a': 'left-to-right embedding',
  '\u202b': 'right-to-left embedding',
  '\u202c': 'pop directional formatting',
  '\u202d': 'left-to-right override',
  '\u202e': 'right-to-left override',
  '\u2060': 'word joiner',
  '\u2066': 'left-to-right isolate',
  '\u2067': 'right-to-left isolate',
  '\u2068': 'first strong isolate',
  '\u2069': 'pop directional isolate',
  '\u2800': 'blank Braille pattern',
  '\u3164': 'Hangul filler',
  '\ufeff': 'zero-width no-break space',
}

/** The text with its hidden characters set apart. Together the pieces are the text, character by character. */
export function textPieces(text: string): TextPiece[] {
  const seen = new Set([...text.matchAll(IN_EMOJI)].map(({ index }) => index))
  const pieces: TextPiece[] = []
  let end = 0
  for (const { 0: hidden, index } of text.matchAll(HIDDEN)) {
    if (seen.has(index)) continue
    if (index > end) pieces.push({ text: text.slice(end, index) })
    pieces.push({ hidden, name: nameOf(hidden) })
    end = index + hidden.length
  }
  if (end < text.length) pieces.push({ text: text.slice(end) })
  return pieces
}

/** The text with hidden characters as `[U+202E]`. */
export const visibleText = (text: string): string =>
  textPieces(text)
    .map((piece) => ('text' in piece ? piece.text : `[${codeOf(piece.hidden)}]`))
    .join('')

/** `U+202E` */
export const codeOf = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`

const nameOf = (character: string): string => {
  const name = NAMES[character]
  return name === undefined ? codeOf(character) : `${codeOf(character)} ${name}`
}

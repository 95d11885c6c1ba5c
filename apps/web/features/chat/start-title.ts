const LONGEST = 60

/** A title from the first words of a conversation, until there is a better one. */
export function startTitle(text: string): string {
  const [line = ''] = text.trim().split('\n')
  const words = line.replaceAll(/\s+/g, ' ').trim()
  if (words.length <= LONGEST) return words
  const cut = words.slice(0, LONGEST)
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), LONGEST / 2)).trimEnd()}…`
}

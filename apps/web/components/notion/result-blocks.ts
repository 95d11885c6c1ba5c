/** One piece of what a tool returned, as people see it and as the model is told. */
export type ResultBlock =
  | { readonly kind: 'text'; readonly text: string }
  /** JSON inside of a text, or `structuredContent`; `text` is the JSON as it came. */
  | { readonly kind: 'json'; readonly value: unknown; readonly text: string }
  | { readonly kind: 'image' | 'audio'; readonly mediaType: string; readonly data: string; readonly bytes: number }
  | { readonly kind: 'link'; readonly uri: string; readonly name: string; readonly description: string }
  /** A file that can neither be shown nor played. */
  | { readonly kind: 'file'; readonly name: string; readonly mediaType: string; readonly bytes: number }
  /** A block of a type that this app does not know. */
  | { readonly kind: 'other'; readonly type: string; readonly value: unknown }

/** What a browser shows without running anything that the server sent. */
const IMAGES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'])

const AUDIO = /^audio\/[\w.+-]+$/

/**
 * Everything in the result of a tool: all blocks in their order, then the structured content unless a block says the same.
 *
 * @param result what the server sent, which can be anything.
 */
export function resultBlocks(result: unknown): ResultBlock[] {
  if (!isRecord(result)) return result === undefined || result === null ? [] : [jsonOrText(result)]
  const { content, structuredContent } = result
  const blocks = Array.isArray(content) ? content.map(blockOf) : []
  if (structuredContent !== undefined && structuredContent !== null) {
    const said = JSON.stringify(structuredContent)
    const isSaid = blocks.some((block) => block.kind === 'json' && JSON.stringify(block.value) === said)
    if (!isSaid) blocks.push(json(structuredContent))
  }
  return 'content' in result || 'structuredContent' in result ? blocks : [json(result)]
}

function blockOf(block: unknown): ResultBlock {
  if (!isRecord(block)) return { kind: 'other', type: typeof block, value: block }
  const type = text(block['type'])
  switch (type) {
    case 'text':
      return typeof block['text'] === 'string' ? jsonOrText(block['text']) : { kind: 'other', type, value: block }
    case 'image':
    case 'audio':
      return media(text(block['mimeType']), text(block['data']), '')
    case 'resource_link': {
      const { uri, name, title, description } = block
      return {
        kind: 'link',
        uri: text(uri),
        name: text(title) || text(name) || text(uri),
        description: text(description),
      }
    }
    case 'resource':
      return resource(isRecord(block['resource']) ? block['resource'] : {})
    default:
      return { kind: 'other', type: type || 'unknown', value: block }
  }
}

function resource(embedded: Readonly<Record<string, unknown>>): ResultBlock {
  if (typeof embedded['text'] === 'string') return jsonOrText(embedded['text'])
  return media(text(embedded['mimeType']), text(embedded['blob']), text(embedded['uri']))
}

function media(mediaType: string, data: string, name: string): ResultBlock {
  const bytes = Math.floor((data.replaceAll('=', '').length * 3) / 4)
  const isReadable = /^[A-Za-z0-9+/]+={0,2}$/.test(data)
  if (isReadable && IMAGES.has(mediaType)) return { kind: 'image', mediaType, data, bytes }
  if (isReadable && AUDIO.test(mediaType)) return { kind: 'audio', mediaType, data, bytes }
  return { kind: 'file', name, mediaType: mediaType || 'unknown type', bytes }
}

/** Only objects and lists: a text such as `12` or `true` is a text. */
function jsonOrText(value: unknown): ResultBlock {
  if (typeof value !== 'string') return json(value)
  if (!/^\s*[[{]/.test(value)) return { kind: 'text', text: value }
  try {
    return { kind: 'json', value: JSON.parse(value) as unknown, text: value }
  } catch {
    return { kind: 'text', text: value }
  }
}

const json = (value: unknown): ResultBlock => ({ kind: 'json', value, text: JSON.stringify(value) })

/** `12 kB` */
export const fileSize = (bytes: number): string =>
  bytes < 1_000 ? `${bytes} bytes` : `${Math.round(bytes / 1_000)} kB`

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

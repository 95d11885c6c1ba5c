import type { z } from 'zod'

/** A setting as its schema describes it. */
export interface SettingDescription {
  readonly name: string
  readonly description: string
  /** In Markdown; undefined for a setting without a default. */
  readonly defaultText: string | undefined
  /** The default in the form of an environment variable. */
  readonly defaultValue: string | undefined
  readonly secret: boolean
}

/**
 * The settings of a process in the order of its schema. Lower-case spellings (`https_proxy`) are omitted.
 *
 * @throws {Error} for a setting without a description.
 */
export function describeSettings(schema: z.ZodObject): SettingDescription[] {
  return Object.entries(schema.shape)
    .filter(([name]) => name === name.toUpperCase())
    .map(([name, setting]) => describeSetting(name, setting as z.ZodType))
}

function describeSetting(name: string, setting: z.ZodType): SettingDescription {
  const {
    description,
    defaultText,
    secret = false,
  } = (setting.meta() ?? {}) as {
    description?: string
    defaultText?: string
    secret?: boolean
  }
  if (!description) throw new Error(`${name} has no description. Give its schema one with .describe() or .meta().`)
  const defaultValue = defaultOf(setting)
  return {
    name,
    description,
    defaultText: defaultText ?? (defaultValue === undefined ? undefined : `\`${defaultValue}\``),
    defaultValue,
    secret,
  }
}

/** An empty list is not shown as a default. */
function defaultOf(setting: z.ZodType): string | undefined {
  const { def } = setting as unknown as {
    def: { type: string; defaultValue?: unknown; in?: z.ZodType; innerType?: z.ZodType }
  }
  if (def.type === 'default') return textOf(def.defaultValue) || undefined
  const inner = def.in ?? def.innerType
  return inner && defaultOf(inner)
}

const textOf = (value: unknown): string =>
  value instanceof URL && value.pathname === '/' ? value.origin : String(value)

export function settingsTable(settings: readonly SettingDescription[]): string {
  const rows = settings.map(({ name, defaultText = '–', description, secret }) => {
    const cells = [`\`${name}\`${secret ? ' 🔑' : ''}`, defaultText, description]
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  return ['| setting | default | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

/** One section of `.env.example`: every setting as a comment. */
export function envSection(title: string, settings: readonly SettingDescription[]): string {
  const entries = settings.map(({ name, description, defaultText, defaultValue, secret }) =>
    [
      ...wrapped(`${plain(description)}${secret ? ` Secret: ${name}_FILE=/path works too.` : ''}`),
      ...(defaultText !== undefined && defaultValue === undefined ? wrapped(`Default: ${plain(defaultText)}`) : []),
      `#${name}=${defaultValue === undefined ? '' : quoted(defaultValue)}`,
    ].join('\n'),
  )
  return [`# ---- ${title} ----`, ...entries].join('\n\n')
}

/** Markdown as plain text. */
const plain = (markdown: string): string => markdown.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '')

const quoted = (value: string): string => (/[\s#"']/.test(value) ? `"${value}"` : value)

const WIDTH = 100

function wrapped(text: string): string[] {
  const lines = ['#']
  for (const word of text.split(' ')) {
    if (`${lines.at(-1)} ${word}`.length > WIDTH) lines.push('#')
    lines.push(`${lines.pop()} ${word}`)
  }
  return lines
}

import type { ReactNode } from 'react'
import { cn } from '@/components/ui/class-names.ts'

/**
 * A page's Markdown, as far as it helps reading: headings, lists, to-dos, bold and code. It makes elements and never HTML, because what
 * stands in a page is a stranger's.
 */
export function PageText({ text }: { text: string }) {
  return (
    <div className="mt-3 max-w-prose space-y-1.5 text-sm leading-relaxed break-words">
      {blocksOf(text).map((block, index) =>
        // Blocks have no identity of their own and are never moved.
        typeof block === 'string' ? <Line key={index} line={block} /> : <Table key={index} rows={block} />,
      )}
    </div>
  )
}

type Rows = string[][]

/** Lines, and tables, which Notion writes as HTML with one row on each line. */
function blocksOf(text: string): (string | Rows)[] {
  const blocks: (string | Rows)[] = []
  for (const line of text.split('\n')) {
    if (/^\s*<\/?(table|colgroup|col)\b.*>\s*$/.test(line)) continue
    const row = /^\s*<tr\b.*<\/tr>\s*$/.test(line)
      ? [...line.matchAll(/<td[^>]*>(.*?)<\/td>/g)].map(([, cell = '']) => cell)
      : undefined
    const last = blocks.at(-1)
    if (!row) blocks.push(line)
    else if (typeof last === 'object') last.push(row)
    else blocks.push([row])
  }
  return blocks
}

function Table({ rows: [head = [], ...rows] }: { rows: Rows }) {
  return (
    <div className="overflow-x-auto">
      <table className="border-collapse">
        <thead>
          <tr>
            {head.map((cell, index) => (
              <th key={index} className="border border-line px-2.5 py-1 text-left font-semibold">
                {inline(cell)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, cellIndex) => (
                <td key={cellIndex} className="border border-line px-2.5 py-1">
                  {inline(cell)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Line({ line }: { line: string }) {
  const [, indent = '', mark = '', rest = ''] = /^(\s*)(#{1,6} |- \[[ x]\] |[-*] |\d+\. |> |)(.*)$/.exec(line) ?? []
  if (mark === '' && rest.trim() === '') return <div className="h-1.5" />
  const kind = mark.trim()
  if (kind.startsWith('#'))
    return (
      <p dir="auto" className="pt-2 text-[15px] font-semibold tracking-tight">
        {inline(rest)}
      </p>
    )
  if (kind === '>')
    return (
      <p dir="auto" className="border-s-2 border-line-strong ps-3 text-soft">
        {inline(rest)}
      </p>
    )
  if (kind === '')
    return (
      <p dir="auto" className="whitespace-pre-wrap">
        {inline(line)}
      </p>
    )
  return (
    <p dir="auto" className={cn('flex gap-2', indent !== '' && 'ps-5')}>
      <span className="shrink-0 text-soft tabular-nums">{bullet(kind)}</span>
      <span className={cn('min-w-0', kind === '- [x]' && 'text-soft line-through')}>{inline(rest)}</span>
    </p>
  )
}

const bullet = (kind: string) =>
  kind === '- [x]' ? '☑' : kind === '- [ ]' ? '☐' : kind === '-' || kind === '*' ? '•' : kind

function inline(text: string): ReactNode[] {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part, index) => {
    if (/^\*\*.+\*\*$/.test(part)) return <strong key={index}>{part.slice(2, -2)}</strong>
    if (/^`.+`$/.test(part)) {
      return (
        <code key={index} className="rounded bg-sunken px-1 py-0.5 font-mono text-[0.9em]">
          {part.slice(1, -1)}
        </code>
      )
    }
    return part
  })
}

/** The words of a piece of Markdown on one line, for where there is no room for more. */
export const plainText = (markdown: string): string =>
  markdown
    .replaceAll(/\*\*|`/g, '')
    .replaceAll(/(^|\s)(#{1,6}|- \[[ x]\]|>)(?=\s)/g, '$1·')
    .replace(/^\s*·\s*/, '')

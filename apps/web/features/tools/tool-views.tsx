'use client'

import { Database, ExternalLink, FileText } from 'lucide-react'
import type { ReactNode } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { PageText, plainText } from '@/components/notion/page-text.tsx'
import { FetchedPage, pageContent, SearchResults, webLink, type SearchResult } from '@/components/notion/tool-result.ts'

export interface ToolViewProps {
  readonly payload: unknown
  /** Opens a page here, if the server has a tool for that. */
  readonly onRead: ((id: string) => void) | undefined
  /** False in the simulation, where links to Notion do not work. */
  readonly hasLinks: boolean
}

/** Undefined if the payload has an unexpected shape; it is then shown as JSON. */
export type ToolView = (props: ToolViewProps) => ReactNode | undefined

/** Views by the name of the tool. A tool without an entry is shown as JSON. */
export const toolViews: Readonly<Record<string, ToolView>> = {
  'notion-search': searchView,
  'notion-fetch': pageView,
}

function searchView({ payload, onRead, hasLinks }: ToolViewProps): ReactNode | undefined {
  const found = SearchResults.safeParse(payload)
  if (!found.success) return undefined
  const { results } = found.data
  if (results.length === 0) return <p className="py-6 text-center text-sm text-soft">No results. Try other words.</p>
  return (
    <ul className="grid gap-3" aria-label="Search results">
      {results.map((result) => (
        <li key={result.id}>
          <ResultCard result={result} onRead={onRead} hasLinks={hasLinks} />
        </li>
      ))}
    </ul>
  )
}

function ResultCard({ result, onRead, hasLinks }: { result: SearchResult } & Omit<ToolViewProps, 'payload'>) {
  const link = hasLinks ? webLink(result.url) : undefined
  const Icon = result.type === 'database' || result.type === 'data_source' ? Database : FileText
  return (
    <article className="flex items-start gap-3 rounded-xl border border-line p-4">
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0 text-soft" />
      <div className="min-w-0 flex-1">
        <h4 dir="auto" className="text-[15px] leading-snug font-medium break-words">
          {result.title || 'Untitled'}
        </h4>
        {result.highlight && (
          <p dir="auto" className="mt-1 line-clamp-2 text-sm break-words text-soft">
            {plainText(result.highlight)}
          </p>
        )}
        {(result.path || result.timestamp) && (
          <p dir="auto" className="mt-1.5 text-xs break-words text-faint">
            {[result.path, result.timestamp].filter(Boolean).join(' · ')}
          </p>
        )}
        {link && (
          <p className="mt-1.5">
            <NotionLink href={link} />
          </p>
        )}
      </div>
      {onRead && (
        <Button
          look="secondary"
          size="small"
          aria-label={`Read ${result.title}`}
          className="-mt-0.5 -mr-0.5"
          onClick={() => onRead(result.id)}
        >
          Read
        </Button>
      )}
    </article>
  )
}

function pageView({ payload, hasLinks }: ToolViewProps): ReactNode | undefined {
  const page = FetchedPage.safeParse(payload)
  if (!page.success) return undefined
  const { title, path, text, url } = page.data
  const link = hasLinks ? webLink(url) : undefined
  return (
    <article className="rounded-xl border border-line p-4 sm:p-5">
      {path && (
        <p dir="auto" className="text-xs break-words text-faint">
          {path}
        </p>
      )}
      <h4 dir="auto" className="mt-0.5 text-lg font-semibold tracking-tight break-words">
        {title || 'Untitled'}
      </h4>
      <PageText text={pageContent(text)} />
      {link && (
        <p className="mt-4">
          <NotionLink href={link} />
        </p>
      )}
    </article>
  )
}

const NotionLink = ({ href }: { href: string }) => (
  <a
    href={href}
    target="_blank"
    rel="noopener noreferrer"
    className="inline-flex items-center gap-1.5 rounded-sm text-[13px] font-medium text-link hover:underline"
  >
    Open in Notion
    <ExternalLink aria-hidden className="size-3.5" />
  </a>
)

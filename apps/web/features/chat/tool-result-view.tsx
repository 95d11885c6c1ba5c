'use client'

import { Database, FileText, User } from 'lucide-react'
import { useState, type ReactNode } from 'react'
import { ExternalLink } from '@/components/notion/external-link.tsx'
import { PageText, plainText } from '@/components/notion/page-text.tsx'
import { resultBlocks } from '@/components/notion/result-blocks.ts'
import { ResultContent } from '@/components/notion/result-content.tsx'
import { pageContent, webLink } from '@/components/notion/tool-result.ts'
import type { ToolPart } from './chat-message.ts'
import { payloadIn } from './tool-result.ts'
import { isArgs, newTitles, textOf } from './tool-words.ts'

export interface ToolResultProps {
  readonly payload: unknown
  readonly input: unknown
  /** Where links to Notion lead somewhere. */
  readonly hasLinks: boolean
}

/** Undefined when the payload is not of the expected shape; then the default shows it. */
type ToolResultView = (props: ToolResultProps) => ReactNode | undefined

/** Views of results by the name of the tool; for others there is a default. */
const views: Readonly<Record<string, ToolResultView>> = {
  'notion-search': SearchCards,
  'notion-fetch': FetchedCard,
  'notion-create-pages': CreatedCards,
  'notion-update-page': () => null,
  'notion-get-users': PeopleCards,
}

export function ToolResultView({ part, hasLinks }: { part: ToolPart; hasLinks: boolean }) {
  const blocks = resultBlocks(part.output)
  const view = views[part.toolName]?.({ payload: payloadIn(part.output), input: part.input, hasLinks })
  if (view === undefined) return <ResultContent blocks={blocks} hasLinks={hasLinks} />
  // The view shows what the text says; images and the like are shown below it.
  const others = blocks.filter(({ kind }) => kind !== 'text' && kind !== 'json')
  if (others.length === 0) return view
  return (
    <div className="space-y-3">
      {view}
      <ResultContent blocks={others} hasLinks={hasLinks} />
    </div>
  )
}

interface PageFacts {
  readonly id: string
  readonly title: string
  readonly url: string | undefined
  readonly path: string
  readonly edited: string
  readonly highlight: string
  readonly icon: ReactNode
}

const FIRST = 3

function SearchCards({ payload, hasLinks }: ToolResultProps): ReactNode | undefined {
  if (!isArgs(payload) || !Array.isArray(payload['results'])) return undefined
  const pages = payload['results'].filter(isArgs).map(pageFacts)
  if (pages.length === 0) return <p className="text-sm text-soft">Nothing found.</p>
  return <PageCards pages={pages} hasLinks={hasLinks} />
}

function PageCards({ pages, hasLinks }: { pages: readonly PageFacts[]; hasLinks: boolean }) {
  const [isWhole, setWhole] = useState(false)
  const shown = isWhole ? pages : pages.slice(0, FIRST)
  return (
    <div className="space-y-2">
      <ul aria-label="Pages" className="grid grid-cols-1 gap-2">
        {shown.map((page) => (
          <li key={page.id}>
            <PageCard page={page} hasLinks={hasLinks} />
          </li>
        ))}
      </ul>
      {pages.length > FIRST && (
        <button
          type="button"
          aria-expanded={isWhole}
          onClick={() => setWhole(!isWhole)}
          className="rounded-sm text-[13px] font-medium text-link hover:underline"
        >
          {isWhole ? 'Show fewer' : `Show all ${pages.length}`}
        </button>
      )}
    </div>
  )
}

function pageFacts(page: Readonly<Record<string, unknown>>): PageFacts {
  const icon = isArgs(page['icon']) ? textOf(page['icon']['emoji']) : textOf(page['icon'])
  const kind = textOf(page['type'])
  const isDatabase = kind === 'database' || kind === 'data_source'
  return {
    id: textOf(page['id']) || textOf(page['url']),
    title: textOf(page['title']) || 'Untitled',
    url: webLink(textOf(page['url'])),
    path: textOf(page['path']),
    edited: editedAt(textOf(page['timestamp']) || textOf(page['page_last_edited_at'])),
    highlight: plainText(textOf(page['highlight'])),
    icon:
      icon && icon.length <= 8 ? (
        <span aria-hidden className="text-base leading-5">
          {icon}
        </span>
      ) : isDatabase ? (
        <Database aria-hidden className="mt-0.5 size-4 text-soft" />
      ) : kind === 'user' ? (
        <User aria-hidden className="mt-0.5 size-4 text-soft" />
      ) : (
        <FileText aria-hidden className="mt-0.5 size-4 text-soft" />
      ),
  }
}

/** As Notion says it, or the day of a point in time. */
const editedAt = (text: string): string => (/^\d{4}-\d\d-\d\dT/.test(text) ? text.slice(0, 10) : text)

function PageCard({ page, hasLinks }: { page: PageFacts; hasLinks: boolean }) {
  const { title, url, path, edited, highlight, icon } = page
  return (
    <article className="flex gap-2.5 rounded-xl border border-line bg-surface px-3 py-2.5">
      <span className="grid w-5 shrink-0 justify-items-center">{icon}</span>
      <div className="min-w-0 flex-1 text-sm">
        {url && hasLinks ? (
          <ExternalLink href={url} textStyle="truncate" more="(opens Notion)">
            {title}
          </ExternalLink>
        ) : (
          <p dir="auto" className="truncate font-medium">
            {title}
          </p>
        )}
        {highlight && (
          <p dir="auto" className="mt-0.5 line-clamp-1 text-[13px] break-words text-soft">
            {highlight}
          </p>
        )}
        {(path || edited) && (
          <p className="mt-0.5 truncate text-xs text-faint">
            {[path, edited && `edited ${edited}`].filter(Boolean).join(' · ')}
          </p>
        )}
      </div>
    </article>
  )
}

function FetchedCard({ payload, hasLinks }: ToolResultProps): ReactNode | undefined {
  if (!isArgs(payload) || !textOf(payload['text'])) return undefined
  return <Fetched payload={payload} hasLinks={hasLinks} />
}

/** As much of a page as is read before one asks for more. */
const GLANCE = 6_000

function Fetched({ payload, hasLinks }: { payload: Readonly<Record<string, unknown>>; hasLinks: boolean }) {
  const [isOpen, setOpen] = useState(false)
  const content = isOpen ? pageContent(textOf(payload['text'])) : ''
  return (
    <div className="space-y-2">
      <PageCard page={pageFacts(payload)} hasLinks={hasLinks} />
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        className="rounded-sm text-[13px] font-medium text-link hover:underline"
      >
        {isOpen ? 'Hide content' : 'Show content'}
      </button>
      {isOpen && (
        <div
          tabIndex={0}
          role="region"
          aria-label={`Content of ${textOf(payload['title'])}`}
          className="max-h-96 overflow-y-auto rounded-xl border border-line px-4 pt-1 pb-4"
        >
          <PageText text={content.slice(0, GLANCE)} />
          {content.length > GLANCE && <p className="mt-3 text-[13px] text-soft">The rest is in Notion.</p>}
        </div>
      )}
    </div>
  )
}

function CreatedCards({ payload, input, hasLinks }: ToolResultProps): ReactNode | undefined {
  if (!isArgs(payload) || !Array.isArray(payload['pages'])) return undefined
  const titles = isArgs(input) ? newTitles(input) : []
  const pages = payload['pages'].filter(isArgs).map((page, index) => pageFacts({ ...page, title: titles[index] }))
  return <PageCards pages={pages} hasLinks={hasLinks} />
}

function PeopleCards({ payload }: ToolResultProps): ReactNode | undefined {
  if (!isArgs(payload) || !Array.isArray(payload['results'])) return undefined
  const people = payload['results'].filter(isArgs)
  return (
    <ul aria-label="People" className="flex flex-wrap gap-2">
      {people.map((person) => (
        <li key={textOf(person['id'])} className="rounded-full border border-line bg-surface px-3 py-1 text-[13px]">
          <bdi>{textOf(person['name'])}</bdi> <span className="text-faint">{textOf(person['email'])}</span>
        </li>
      ))}
    </ul>
  )
}

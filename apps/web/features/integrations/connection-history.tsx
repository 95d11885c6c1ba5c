'use client'

import { KeyRound, Link2, RefreshCw, Unlink, type LucideIcon } from 'lucide-react'
import { useEffect, useState, type ReactNode } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { cn } from '@/components/ui/class-names.ts'
import { Notice } from '@/components/ui/notice.tsx'
import { Time } from '@/components/ui/time.tsx'
import { messageOf } from '@/lib/api-client.ts'
import { useSpaceConnection } from './connection-context.tsx'
import { reconnectReasons, type ConnectionView } from './connection-view.ts'
import type { HistoryKind, PastEvent } from './history-response.ts'

const kinds: readonly (readonly [HistoryKind, string])[] = [
  ['all', 'Everything'],
  ['authorized', 'Connected'],
  ['renewed', 'Renewed'],
  ['refused', 'Refused'],
  ['disconnected', 'Disconnected'],
]

type HistoryState =
  | { status: 'loading' }
  | { status: 'failed'; trouble: string }
  | { status: 'ready'; events: readonly PastEvent[]; nextBefore: number | undefined; isReading: boolean }

/** Events of the connection, newest first. Reloads when the connection changes. */
export function ConnectionHistory({ spaceId }: { spaceId: string }) {
  const [kind, setKind] = useState<HistoryKind>('all')
  const mark = markOf(useSpaceConnection().control.view)
  return (
    <Card aria-labelledby="history" className="p-5 sm:p-6">
      <h2 id="history" className="font-semibold tracking-tight">
        History
      </h2>
      <div role="group" aria-label="Show" className="mt-3 mb-5 flex flex-wrap gap-1.5">
        {kinds.map(([value, label]) => (
          <button
            key={value}
            type="button"
            aria-pressed={value === kind}
            onClick={() => setKind(value)}
            className={cn(
              'h-8 rounded-full border border-line-strong px-3 text-[13px] font-medium text-soft hover:bg-sunken',
              value === kind && 'border-primary bg-primary text-on-primary hover:bg-primary-hover',
            )}
          >
            {label}
          </button>
        ))}
      </div>
      <Events key={`${kind} ${mark}`} spaceId={spaceId} kind={kind} />
    </Card>
  )
}

/** Key that changes with each event of the connection. */
function markOf(view: ConnectionView): string {
  if (!('connection' in view)) return view.status
  const { connectedAt, lastRefreshedAt, status } = view.connection
  return `${status} ${connectedAt} ${lastRefreshedAt}`
}

function Events({ spaceId, kind }: { spaceId: string; kind: HistoryKind }) {
  const [state, setState] = useState<HistoryState>({ status: 'loading' })

  useEffect(() => {
    const leaving = new AbortController()
    read(spaceId, kind, undefined, leaving.signal).then(
      (page) => !leaving.signal.aborted && setState({ status: 'ready', ...page, isReading: false }),
      (error: unknown) => !leaving.signal.aborted && setState({ status: 'failed', trouble: messageOf(error) }),
    )
    return () => leaving.abort()
  }, [spaceId, kind])

  if (state.status === 'loading') return <div aria-hidden className="h-24 animate-pulse rounded-xl bg-sunken" />
  if (state.status === 'failed') return <Notice tone="danger">{state.trouble}</Notice>
  const { events, nextBefore, isReading } = state

  const readOlder = async () => {
    setState({ ...state, isReading: true })
    try {
      const older = await read(spaceId, kind, nextBefore)
      setState({
        status: 'ready',
        events: [...events, ...older.events],
        nextBefore: older.nextBefore,
        isReading: false,
      })
    } catch (error) {
      setState({ status: 'failed', trouble: messageOf(error) })
    }
  }

  return (
    <>
      {events.length === 0 && nextBefore === undefined && (
        <p className="text-sm text-soft">{kind === 'all' ? 'No events yet.' : 'No events of this kind yet.'}</p>
      )}
      <ol aria-label="Events" className="space-y-0">
        {events.map((event) => (
          <Entry key={event.version} event={event} />
        ))}
      </ol>
      {nextBefore !== undefined && (
        <Button look="secondary" size="small" className="mt-4" busy={isReading} onClick={() => void readOlder()}>
          Show older
        </Button>
      )}
    </>
  )
}

async function read(spaceId: string, kind: HistoryKind, before: number | undefined, signal?: AbortSignal) {
  const { readHistory } = await import('./notion-api.ts')
  const { events, nextBefore } = await readHistory(spaceId, kind, before, signal)
  return { events, nextBefore }
}

interface Story {
  readonly icon: LucideIcon
  readonly style: string
  readonly title: string
  readonly more?: ReactNode
}

/** Text and icon of each event type. A missing type does not compile. */
const stories: Record<PastEvent['type'], (event: PastEvent) => Story> = {
  NotionIntegrationAuthorized: ({ confirmedBy, confirmedByName }) => ({
    icon: Link2,
    style: 'bg-success-soft text-success',
    title: 'Connected',
    more: confirmedBy && `to another workspace, confirmed by ${confirmedByName ?? 'a former user'}`,
  }),
  NotionIntegrationTokenRefreshed: ({ tokenExpiresAt }) => ({
    icon: RefreshCw,
    style: 'bg-sunken text-soft',
    title: 'Renewed',
    more: tokenExpiresAt && (
      <>
        valid until <Time at={tokenExpiresAt} />
      </>
    ),
  }),
  NotionIntegrationAuthorizationFailed: ({ reason }) => ({
    icon: KeyRound,
    style: 'bg-warning-soft text-warning',
    title: 'Refused by Notion',
    more: reason && reconnectReasons[reason],
  }),
  NotionIntegrationDisconnected: () => ({ icon: Unlink, style: 'bg-sunken text-soft', title: 'Disconnected' }),
}

function Entry({ event }: { event: PastEvent }) {
  const { icon: Icon, style, title, more } = stories[event.type](event)
  return (
    <li className="group flex gap-3.5">
      <div aria-hidden className="flex flex-col items-center">
        <span className={cn('grid size-8 shrink-0 place-items-center rounded-full', style)}>
          <Icon className="size-4" />
        </span>
        <span className="w-px flex-1 bg-line group-last:hidden" />
      </div>
      <div className="min-w-0 pt-1 pb-5 group-last:pb-0">
        <p className="text-sm">
          <span className="font-medium">{title}</span>
          {event.by && <span className="text-soft"> by {event.byName ?? 'a former user'}</span>}
        </p>
        <p className="mt-0.5 text-[13px] text-pretty text-soft">
          <Time at={event.occurredAt} />
          {more && <> · {more}</>}
        </p>
      </div>
    </li>
  )
}

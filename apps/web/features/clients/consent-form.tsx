'use client'

import { AppWindow, Globe, MonitorSmartphone } from 'lucide-react'
import { useEffect, useState } from 'react'
import { DiscardDrafts } from '@/components/discard-drafts.tsx'
import { Badge } from '@/components/ui/badge.tsx'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { Choice } from '@/components/ui/choice.tsx'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { ApiError, messageOf } from '@/lib/api-client.ts'
import { useSignOut } from '@/lib/drafts/use-sign-out.ts'
import { useCall } from '@/lib/use-call.ts'
import { sendConsent } from './client-api.ts'
import type { ConsentQuestion } from './consent-view.ts'
import { texts } from './texts.ts'

type Progress =
  | { status: 'asking'; trouble?: string }
  | { status: 'sending'; decision: 'allow' | 'deny' }
  | { status: 'answered'; decision: 'allow' | 'deny' }
  | { status: 'over'; why: string }

/** Longer than the pause within a double click, shorter than reading the page takes. */
const READ_MS = 800

/** True once the page has had focus for READ_MS. Protects against clickjacking by a window that closes within a double click. */
function useIsSeen(): boolean {
  const [isSeen, setIsSeen] = useState(false)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const begin = () => {
      clearTimeout(timer)
      setIsSeen(false)
      if (document.hasFocus()) timer = setTimeout(() => setIsSeen(true), READ_MS)
    }
    begin()
    window.addEventListener('focus', begin)
    window.addEventListener('blur', begin)
    return () => {
      clearTimeout(timer)
      window.removeEventListener('focus', begin)
      window.removeEventListener('blur', begin)
    }
  }, [])
  return isSeen
}

/** Asks whether a client may use Notion on the user's behalf, in which space and with which scope. */
export function ConsentForm({ question }: { question: ConsentQuestion }) {
  const { request, spaces, scopes } = question
  const [progress, setProgress] = useState<Progress>({ status: 'asking' })
  const isSeen = useIsSeen()

  const send = async (decision: 'allow' | 'deny', form?: FormData) => {
    setProgress({ status: 'sending', decision })
    const chosen = form?.get('space')
    const spaceId = typeof chosen === 'string' ? chosen : ''
    const scope = form?.get('scope') === 'notion:read' ? 'notion:read' : 'notion:write'
    try {
      const location = await sendConsent(
        decision === 'allow' ? { allow: true, request, spaceId, scope } : { allow: false, request },
      )
      setProgress({ status: 'answered', decision })
      window.location.assign(location)
    } catch (error) {
      const { code } = error instanceof ApiError ? error : {}
      // Reloading redirects to sign-in and returns with the same request.
      if (code === 'unauthenticated') return window.location.reload()
      if (code === 'invalid_request') return setProgress({ status: 'over', why: messageOf(error) })
      setProgress({ status: 'asking', trouble: messageOf(error) })
    }
  }

  if (progress.status === 'over') return <Notice tone="warning">{progress.why}</Notice>
  if (progress.status === 'answered') {
    return (
      <Notice tone={progress.decision === 'allow' ? 'success' : 'info'}>
        {progress.decision === 'allow' ? 'Access allowed.' : 'Access denied.'} Continue in your client. You can close
        this page.
      </Notice>
    )
  }
  const sending = progress.status === 'sending' ? progress.decision : undefined
  return (
    <form
      className="space-y-6"
      onSubmit={(event) => {
        event.preventDefault()
        void send('allow', new FormData(event.currentTarget))
      }}
    >
      <Asker question={question} />
      {spaces.length === 0 ? (
        <Notice tone="warning" title={texts.consent.notMember}>
          {question.isForeignSpace ? texts.consent.foreignSpace : texts.consent.noSpace}
        </Notice>
      ) : (
        <>
          <Spaces spaces={spaces} />
          <Scopes scopes={scopes} />
        </>
      )}
      {progress.status === 'asking' && progress.trouble && <Notice tone="danger">{progress.trouble}</Notice>}
      <div className="flex flex-col gap-2.5 sm:flex-row-reverse">
        {spaces.length > 0 && (
          <Button
            type="submit"
            className="sm:flex-1"
            busy={sending === 'allow'}
            disabled={sending !== undefined || !isSeen}
          >
            {texts.consent.allow}
          </Button>
        )}
        <Button
          look="secondary"
          className="sm:flex-1"
          busy={sending === 'deny'}
          disabled={sending !== undefined}
          onClick={() => void send('deny')}
        >
          {spaces.length > 0 ? texts.consent.deny : texts.consent.back}
        </Button>
      </div>
    </form>
  )
}

const targets = {
  site: { Icon: Globe, text: 'the website' },
  machine: { Icon: MonitorSmartphone, text: 'a program on this computer, at' },
  application: { Icon: AppWindow, text: 'the app on this device that opens links starting with' },
} as const

/** Warning about the client's unverified identity. Only an https redirect proves the host; local programs can imitate each other. */
function caution({ host, target }: ConsentQuestion): string {
  if (host === undefined) {
    return texts.consent.unregistered
  }
  return target.kind === 'site'
    ? `${host} provides its name and description. Allow it only if you trust ${host} and just started logging in from there.`
    : `Any program on this computer can pretend to be this client of ${host}. Allow it only if you just started logging in from it.`
}

function Asker({ question }: { question: ConsentQuestion }) {
  const { clientName, host, target, user } = question
  const { Icon, text } = targets[target.kind]
  // Reloading redirects to sign-in and returns with the same request.
  const call = useCall()
  const leaving = useSignOut(user.id, () => window.location.reload())
  return (
    <Card className="p-4" aria-label={texts.consent.client}>
      {host !== undefined && (
        <p className="mb-2 text-sm text-soft">
          {target.kind === 'site' ? 'A client of' : 'Claims to be a client of'}{' '}
          <strong className="block text-lg font-semibold break-all text-ink">{host}</strong>
        </p>
      )}
      <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
        <strong dir="auto" className="min-w-0 text-[15px] font-semibold break-words">
          {clientName}
        </strong>
        <Badge tone="warning">{texts.consent.notVerified}</Badge>
      </p>
      <p className="mt-2 flex gap-2 text-sm text-soft">
        <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
        <span className="min-w-0">
          You’ll return to {text} <strong className="font-medium break-all text-ink">{target.name}</strong>
        </span>
      </p>
      <p className="mt-2 text-sm text-pretty text-soft">{caution(question)}</p>
      <p className="mt-3 border-t border-line pt-3 text-sm break-words text-soft">
        It will act on behalf of <bdi className="font-medium text-ink">{user.name}</bdi> ({user.email}).{' '}
        <button
          type="button"
          className="rounded-sm font-medium text-link underline-offset-4 hover:underline"
          onClick={() => void call.run(leaving.start)}
        >
          {texts.consent.notYou}
        </button>
      </p>
      <CallNotice call={call} className="mt-3" />
      <DiscardDrafts count={leaving.draftCount} onClose={leaving.cancel} onConfirm={leaving.confirm} />
    </Card>
  )
}

function Spaces({ spaces }: { spaces: ConsentQuestion['spaces'] }) {
  const [only, ...others] = spaces
  if (only && others.length === 0) {
    return (
      <div>
        <h2 className="text-sm font-semibold">{texts.consent.space}</h2>
        <p className="mt-1 text-sm break-words text-soft">
          It can only use the Notion of <bdi className="font-medium text-ink">{only.name}</bdi>.
        </p>
        <input type="hidden" name="space" value={only.id} />
        {only.isConnected === false && (
          <Notice tone="warning" className="mt-3">
            <bdi>{only.name}</bdi> isn’t connected to Notion. The client won’t work until someone{' '}
            <a
              href={`/spaces/${encodeURIComponent(only.id)}/connection`}
              target="_blank"
              rel="noopener"
              className="font-medium underline underline-offset-4"
            >
              connects it
            </a>
            .
          </Notice>
        )}
      </div>
    )
  }
  return (
    <fieldset className="space-y-2.5">
      <legend className="mb-2.5 text-sm font-semibold">{texts.consent.whichSpace}</legend>
      {spaces.map(({ id, name, isConnected }) => (
        <Choice key={id} name="space" value={id} required label={name}>
          {isConnected === false && texts.consent.notConnected}
        </Choice>
      ))}
    </fieldset>
  )
}

function Scopes({ scopes }: { scopes: ConsentQuestion['scopes'] }) {
  const canRead = scopes.includes('notion:read')
  return (
    <fieldset className="space-y-2.5">
      <legend className="mb-2.5 text-sm font-semibold">{texts.consent.scope}</legend>
      {canRead && (
        // Least privilege by default; a client that needs more requests a step-up.
        <Choice name="scope" value="notion:read" defaultChecked label={texts.consent.readLabel}>
          {texts.consent.read}
        </Choice>
      )}
      {scopes.includes('notion:write') && (
        <Choice name="scope" value="notion:write" defaultChecked={!canRead} label={texts.consent.writeLabel}>
          {texts.consent.write}
        </Choice>
      )}
    </fieldset>
  )
}

'use client'

import { useCallback, useEffect, useRef, useState } from 'react'
import { isOutside, messageOf } from '@/lib/api-client.ts'
import { onConnectionChanged, announceConnectionChange } from './connection-changes.ts'
import { notionTroubleOf, viewOf, type ConnectionView } from './connection-view.ts'
import { disconnectNotice } from './earlier-consents.ts'

/** What checks answers is not needed to show the page, so it is not downloaded before. */
const notionApi = () => import('./notion-api.ts')

/** How often a visible page asks for the connection. */
const POLL_MS = 4_000

/** So many questions in a row have to fail before the page says that it knows nothing. */
const FAILURES_TO_TELL = 2

export interface ConnectionControl {
  readonly view: ConnectionView
  /** What the last action has to say: why it did not work, or what to know about it. */
  readonly notice: string | undefined
  /** Sends this browser to Notion's consent page. */
  connect(): void
  /** Gives up on connecting, while this page is still there. */
  abandon(): void
  disconnect(): Promise<void>
  /** Goes on with the workspace that waits to be confirmed, or lets go of it. */
  confirmWorkspaceChange(waitingId: string, accept: boolean): Promise<void>
  /** Asks now instead of at the next poll; because of trouble with a call, if its code is given. */
  refresh(trouble?: string): void
}

/** The space's connection, kept up to date while the page is visible, and what can be done with it. */
export function useConnection(spaceId: string, initial: ConnectionView): ConnectionControl {
  const [known, setKnown] = useState(initial)
  const [attempt, setAttempt] = useState<AbortController>()
  const [notice, setNotice] = useState<string>()
  const [notionTrouble, tellTrouble] = useNotionTrouble()
  const reading = useRef<AbortController>(undefined)
  const failures = useRef(0)

  const refresh = useCallback(async () => {
    // What an older question would still answer is out of date.
    reading.current?.abort()
    const question = new AbortController()
    reading.current = question
    try {
      const response = await (await notionApi()).readConnection(spaceId, question.signal)
      if (question.signal.aborted) return
      failures.current = 0
      setKnown(viewOf(response))
    } catch (error) {
      if (question.signal.aborted) return
      // Signed out, or no longer a member: the server knows where to go from here.
      if (isOutside(error)) return window.location.reload()
      // One lost answer is no news; taking away what the user works with would be.
      failures.current += 1
      if (failures.current >= FAILURES_TO_TELL) setKnown({ status: 'gateway_unreachable', detail: messageOf(error) })
    } finally {
      if (reading.current === question) reading.current = undefined
    }
  }, [spaceId])

  useEffect(() => {
    const refreshVisible = () => {
      if (document.visibilityState === 'visible') void refresh()
    }
    // A slow answer is waited for: asking again would throw it away each time.
    const poll = () => {
      if (!reading.current) refreshVisible()
    }
    // Coming back from Notion by the browser's Back button shows this page as it was left: connecting.
    const onShow = (event: PageTransitionEvent) => {
      if (!event.persisted) return
      setAttempt(undefined)
      refreshVisible()
    }
    const timer = setInterval(poll, POLL_MS)
    const unsubscribe = onConnectionChanged(refreshVisible)
    document.addEventListener('visibilitychange', refreshVisible)
    window.addEventListener('pageshow', onShow)
    return () => {
      clearInterval(timer)
      unsubscribe()
      document.removeEventListener('visibilitychange', refreshVisible)
      window.removeEventListener('pageshow', onShow)
      reading.current?.abort()
    }
  }, [refresh])

  const connect = async () => {
    const started = new AbortController()
    setAttempt(started)
    setNotice(undefined)
    try {
      const { authorizeUrl } = await (await notionApi()).startAuthorization(spaceId, started.signal)
      if (!started.signal.aborted) window.location.assign(authorizeUrl)
    } catch (error) {
      if (started.signal.aborted) return
      setAttempt(undefined)
      setNotice(messageOf(error))
    }
  }

  const abandon = () => {
    attempt?.abort()
    setAttempt(undefined)
    // A navigation that has begun already stops, too.
    window.stop()
    void refresh()
  }

  const disconnect = async () => {
    setNotice(undefined)
    try {
      setNotice(disconnectNotice(await (await notionApi()).deleteConnection(spaceId)))
      announceConnectionChange()
    } catch (error) {
      setNotice(messageOf(error))
    }
    await refresh()
  }

  const confirmWorkspaceChange = async (waitingId: string, accept: boolean) => {
    setNotice(undefined)
    try {
      await (await notionApi()).confirmWorkspaceChange(spaceId, { id: waitingId, accept })
      announceConnectionChange()
    } catch (error) {
      setNotice(messageOf(error))
    }
    await refresh()
  }

  return {
    view: attempt ? { status: 'connecting' } : withTrouble(known, notionTrouble),
    notice,
    connect: () => void connect(),
    abandon,
    disconnect,
    confirmWorkspaceChange,
    refresh: (trouble) => {
      tellTrouble(trouble === undefined ? undefined : notionTroubleOf(trouble))
      void refresh()
    },
  }
}

/** Calls report trouble with Notion, and nobody reports that it is over: it counts for a while. */
const TROUBLE_MS = 30_000

function useNotionTrouble() {
  const [trouble, setTrouble] = useState<{ text: string }>()
  useEffect(() => {
    if (!trouble) return
    const timer = setTimeout(() => setTrouble(undefined), TROUBLE_MS)
    return () => clearTimeout(timer)
  }, [trouble])
  const tell = useCallback((text: string | undefined) => setTrouble(text === undefined ? undefined : { text }), [])
  return [trouble?.text, tell] as const
}

const withTrouble = (view: ConnectionView, notionTrouble: string | undefined): ConnectionView =>
  view.status === 'connected' && notionTrouble !== undefined ? { ...view, notionTrouble } : view

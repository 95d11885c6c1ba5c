'use client'

import { useCallback, useEffect, useRef, useState } from 'react'
import { isOutside, messageOf } from '@/lib/api-client.ts'
import { onConnectionChanged, announceConnectionChange } from './connection-changes.ts'
import { notionTroubleOf, viewOf, type ConnectionView } from './connection-view.ts'
import { disconnectNotice } from './earlier-consents.ts'

/** Response validation is not needed for rendering, so it is loaded on demand. */
const notionApi = () => import('./notion-api.ts')

/** Poll interval of a visible page. */
const POLL_MS = 4_000

/** Consecutive failed polls before the page reports the state as unknown. */
const FAILURES_TO_TELL = 2

export interface ConnectionControl {
  readonly view: ConnectionView
  /** Message of the last action: an error or a notice. */
  readonly notice: string | undefined
  /** Opens Notion's consent page in this browser. */
  connect(): void
  /** Cancels connecting while this page is still open. */
  abandon(): void
  disconnect(): Promise<void>
  /** Accepts or declines the pending workspace change. */
  confirmWorkspaceChange(waitingId: string, accept: boolean): Promise<void>
  /** Polls immediately. `code` is the problem code of the failed call that caused it. */
  refresh(trouble?: string): void
}

/** The space's connection, polled while the page is visible, and its actions. */
export function useConnection(spaceId: string, initial: ConnectionView): ConnectionControl {
  const [known, setKnown] = useState(initial)
  const [attempt, setAttempt] = useState<AbortController>()
  const [notice, setNotice] = useState<string>()
  const [notionTrouble, tellTrouble] = useNotionTrouble()
  const reading = useRef<AbortController>(undefined)
  const failures = useRef(0)

  const refresh = useCallback(async () => {
    // Ignore responses to older polls.
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
      // Signed out or no longer a member: let the server redirect.
      if (isOutside(error)) return window.location.reload()
      // A single failed poll does not change the view.
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
    // Do not start another poll while one is pending.
    const poll = () => {
      if (!reading.current) refreshVisible()
    }
    // The Back button restores this page from the bfcache in the state `connecting`.
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
    // Also stops a navigation that has already begun.
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

/** How long trouble reported by a call is shown, because nothing reports its end. */
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

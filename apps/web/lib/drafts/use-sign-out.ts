'use client'

import { useState } from 'react'
import { callApi } from '../api-client.ts'
import { draftsOf } from './use-draft.ts'

interface SignOut {
  /** Signs out, or asks for confirmation if drafts would be lost. @throws {ApiError} */
  start(): Promise<void>
  /** How many drafts the question is about; undefined while nothing is asked. */
  readonly draftCount: number | undefined
  cancel(): void
  /** Confirms. @throws {ApiError} */
  confirm(): Promise<void>
}

/**
 * Signing out removes the user's drafts from this browser, after a question when there are any.
 *
 * @param onSignedOut called after signing out.
 */
export function useSignOut(userId: string, onSignedOut: () => void): SignOut {
  const [draftCount, setDraftCount] = useState<number>()
  const confirm = async () => {
    await callApi('/api/auth/sign-out', { method: 'POST', body: {} })
    draftsOf(userId).clear()
    onSignedOut()
  }
  return {
    draftCount,
    cancel: () => setDraftCount(undefined),
    confirm,
    async start() {
      const count = draftsOf(userId).names().length
      if (count === 0) return confirm()
      setDraftCount(count)
    },
  }
}

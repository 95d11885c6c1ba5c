'use client'

import { useState } from 'react'
import { draftsOf } from './use-draft.ts'

interface SignOut {
  /** Signs out at once, or asks first where drafts would be lost. Returns a sentence when it failed. */
  start(): Promise<string | undefined>
  /** How many drafts the question is about; undefined while nothing is asked. */
  readonly draftCount: number | undefined
  cancel(): void
  /** The answer yes. Returns a sentence when it failed. */
  confirm(): Promise<string | undefined>
}

/**
 * Signing out removes the user's drafts from this browser, after a question when there are any.
 *
 * @param signOut ends the session; returns a sentence when it failed.
 * @param onSignedOut goes on from there.
 */
export function useSignOut(
  userId: string,
  signOut: () => Promise<string | undefined>,
  onSignedOut: () => void,
): SignOut {
  const [draftCount, setDraftCount] = useState<number>()
  const confirm = async () => {
    const refusal = await signOut()
    if (refusal !== undefined) return refusal
    draftsOf(userId).clear()
    onSignedOut()
    return undefined
  }
  return {
    draftCount,
    cancel: () => setDraftCount(undefined),
    confirm,
    async start() {
      const count = draftsOf(userId).names().length
      if (count === 0) return confirm()
      setDraftCount(count)
      return undefined
    },
  }
}

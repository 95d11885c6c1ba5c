/** An answer of the chat that this process is writing. */
export interface LiveAnswer {
  readonly id: string
  /** Resolves when it is written and stored. */
  readonly finished: Promise<void>
  /** Ends it because the process ends. What is written so far is kept. */
  interrupt(): Promise<void>
}

/** All of this process, by conversation. */
export interface LiveAnswers {
  readonly byConversation: Map<string, LiveAnswer>
  /** The process ends: no other answer begins. */
  isClosing: boolean
}

export const liveAnswers = (): LiveAnswers => ({ byConversation: new Map(), isClosing: false })

/**
 * Lets the answers that are being written finish, and begins no other.
 *
 * @param graceMs how long they may take; what is not finished then is interrupted.
 */
export async function closeLiveAnswers(answers: LiveAnswers, graceMs: number): Promise<void> {
  answers.isClosing = true
  const running = [...answers.byConversation.values()]
  const grace = Promise.withResolvers<void>()
  const timer = setTimeout(grace.resolve, graceMs)
  await Promise.race([Promise.all(running.map(({ finished }) => finished)), grace.promise])
  clearTimeout(timer)
  await Promise.all([...answers.byConversation.values()].map((answer) => answer.interrupt()))
}

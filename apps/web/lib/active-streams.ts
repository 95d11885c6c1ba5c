/** An answer of the chat that this process is writing. */
export interface ActiveStream {
  readonly id: string
  /** Resolves when it is written and stored. */
  readonly finished: Promise<void>
  /** Ends it because the process ends. What is written so far is kept. */
  interrupt(): Promise<void>
}

/** All of this process, by conversation. */
export interface ActiveStreams {
  readonly byConversation: Map<string, ActiveStream>
  /** The process ends: no other answer begins. */
  isClosing: boolean
}

export const activeStreams = (): ActiveStreams => ({ byConversation: new Map(), isClosing: false })

/**
 * Lets the answers that are being written finish, and begins no other.
 *
 * @param graceMs how long they may take; what is not finished then is interrupted.
 */
export async function closeActiveStreams(streams: ActiveStreams, graceMs: number): Promise<void> {
  streams.isClosing = true
  const running = [...streams.byConversation.values()]
  const grace = Promise.withResolvers<void>()
  const timer = setTimeout(grace.resolve, graceMs)
  await Promise.race([Promise.all(running.map(({ finished }) => finished)), grace.promise])
  clearTimeout(timer)
  await Promise.all([...streams.byConversation.values()].map((stream) => stream.interrupt()))
}

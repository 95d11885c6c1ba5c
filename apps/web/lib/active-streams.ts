/** A chat run in this process. */
export interface ActiveStream {
  readonly id: string
  /** Resolves when it is written and stored. */
  readonly finished: Promise<void>
  /** Interrupts the run at shutdown; its output so far is kept. */
  interrupt(): Promise<void>
}

/** All of this process, by conversation. */
export interface ActiveStreams {
  readonly byConversation: Map<string, ActiveStream>
  /** The process is shutting down and starts no more runs. */
  isClosing: boolean
}

export const activeStreams = (): ActiveStreams => ({ byConversation: new Map(), isClosing: false })

/**
 * Waits for active runs to finish and starts no more.
 *
 * @param graceMs time limit, after which active runs are interrupted.
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

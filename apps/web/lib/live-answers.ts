/** An answer of the chat that this process is writing. */
export interface LiveAnswer {
  readonly id: string
  /** Ends it because the process ends. What is written so far is kept. */
  interrupt(): Promise<void>
}

/** By conversation. */
export type LiveAnswers = Map<string, LiveAnswer>

/** News from all replicas that a connection has changed. */
export interface Changes {
  /** False while news may be missed: then nothing may be answered from memory. */
  isLive(): boolean
  /** `hasEnded`: somebody disconnected the space. */
  onChange(listener: (spaceId: string, version: number, hasEnded: boolean) => void): void
  /** Calls back when the line was interrupted: whatever is in memory may be old. */
  onInterruption(listener: () => void): void
  /** Resolves at the next change of this space, or after `ms`. */
  next(spaceId: string, ms: number): Promise<void>
}

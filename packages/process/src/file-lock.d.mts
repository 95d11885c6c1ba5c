/** Runs `work` while no other process that asks for the lock at `path` runs its own. A holder that died holds nothing. */
export function withFileLock<T>(path: string, work: () => Promise<T>, onWait?: () => void): Promise<T>
/** Whether a process with this id exists. */
export function isAlive(pid: number): boolean

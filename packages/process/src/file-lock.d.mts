/** Runs `work` with the exclusive lock at `path`. The lock of a dead process is taken over. `onWait` is called once if the lock is taken. */
export function withFileLock<T>(path: string, work: () => Promise<T>, onWait?: () => void): Promise<T>
/** True if a process with this id is running. */
export function isAlive(pid: number): boolean

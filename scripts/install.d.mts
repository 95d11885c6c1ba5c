/** An error that the operator has to fix; only its message is printed. */
export class SetupError extends Error {}

/** Runs `work` under a lock on this checkout. */
export function withSetupLock<T>(root: string, name: string, work: () => Promise<T>): Promise<T>

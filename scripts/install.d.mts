/** Something that the operator has to put right; the message is all there is to say. */
export class SetupError extends Error {}

/** Runs `work` in this checkout only once at a time. */
export function withSetupLock<T>(root: string, name: string, work: () => Promise<T>): Promise<T>

/**
 * The other processes of this machine whose command line names `path` or something below it; none if the system hides the processes of
 * others.
 */
export function processesRunning(path: string): { pid: number; command: string }[]

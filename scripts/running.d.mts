/**
 * The other processes of this machine whose command line names `path` or something below it; none where the system shows the processes of others
 * to nobody.
 */
export function processesRunning(path: string): { pid: number; command: string }[]

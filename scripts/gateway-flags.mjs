/**
 * Node's flags for the gateway. By default, the young generation of the heap grows with every burst, up to 48 MB, and does not shrink; half of
 * that is enough for concurrent calls (docs/performance.md).
 */
export const GATEWAY_FLAGS = ['--max-semi-space-size=8']

/**
 * What Node is told when it runs the gateway. With its own choice, up to 48 MB, the space for what is new grows with every burst and is not
 * given back; half of that holds what the calls of a moment need as well (docs/performance.md).
 */
export const GATEWAY_FLAGS = ['--max-semi-space-size=8']

/** Requests to URLs from untrusted parties, and outbound proxies. */
export * from './guarded-fetch.ts'
export * from './proxies.ts'
export * from './ssrf-guard.ts'
export * from './tunnel.ts'

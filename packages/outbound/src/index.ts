/** Requests to addresses that strangers name. */
export * from './guarded-fetch.ts'
export * from './proxies.ts'
export * from './ssrf-guard.ts'
export * from './tunnel.ts'

/** Requests to addresses that strangers name. */
export * from './guarded-fetch.ts'
export * from './proxies.ts'
export * from './reach.ts'
export * from './tunnel.ts'

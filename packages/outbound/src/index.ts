/** Requests to addresses that strangers name. */
export * from './guarded-fetch.ts'
export * from './reach.ts'

export * from './access.ts'
export * from './authorization.ts'
export * from './connection.ts'
export * from './problems.ts'

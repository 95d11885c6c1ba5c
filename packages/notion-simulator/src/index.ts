export type { Simulator } from './running-simulator.ts'
export { type SimulatorOptions, startSimulator } from './simulator.ts'
export {
  type OptionChanges,
  type Options,
  type McpFaultInput as McpFault,
  type MetadataOptions,
  type Profile,
  PROFILES,
  type TokenFaultInput as TokenFault,
} from './options.ts'
export type { DocumentOptions, ResponseOptions, TokenResponseOptions } from './response-options.ts'
export type { Administration, ClientSummary, GrantSummary } from './administration.ts'
export type {
  RecordedRequests,
  RecordedAuthorization,
  RecordedCredential,
  RecordedDiscovery,
  RecordedMcpRequest,
  RecordedRegistration,
  RecordedTokenRequest,
  TokenStatus,
} from './recorded-requests.ts'
export type { IssuedSecret } from './secrets.ts'
export type { GrantFilter } from './authorization/grants.ts'
export { PEOPLE } from './workspace/seeder.ts'
export { seededId, type Page, type User, type Workspace } from './workspace/workspace.ts'

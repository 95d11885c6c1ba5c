export { type SimulatorOptions, type Simulator, startSimulator } from './simulator.ts'
export {
  type KnobChanges,
  type KnobChanges as OptionChanges,
  type Knobs,
  type Knobs as Options,
  type McpFaultInput as McpFault,
  type MetadataKnobs,
  type Profile,
  PROFILES,
  type TokenFaultInput as TokenFault,
} from './knobs.ts'
export type { DocumentOptions, ResponseOptions, TokenResponseOptions } from './response-options.ts'
export type { Administration, ClientSummary, GrantSummary } from './administration.ts'
export type {
  Seen,
  SeenAuthorization,
  SeenCredential,
  SeenDiscovery,
  SeenMcpRequest,
  SeenRegistration,
  SeenTokenRequest,
  TokenStanding,
} from './seen.ts'
export type { IssuedSecret } from './secrets.ts'
export type { GrantFilter } from './authorization/grants.ts'
export { PEOPLE } from './workspace/seeder.ts'
export { seededId, type Page, type User, type Workspace } from './workspace/workspace.ts'

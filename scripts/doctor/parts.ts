/** The code of the gateway and of shared packages that the doctor uses. For the web app's code: web-parts.ts. */
export { aesVault } from '../../apps/gateway/src/connections/keys/aes-vault.ts'
export { oauthServer } from '../../apps/gateway/src/connections/oauth/authorization-server.ts'
export type { TrustedIssuer } from '../../apps/gateway/src/clients/jwt-verifier.ts'
export { openPool, openSession, type Pooled } from '../../apps/gateway/src/platform/database.ts'
export { oauthSettings, readConfig, type Config } from '../../apps/gateway/src/config.ts'
export { keyId, kidOf, missingKeys, type Replica } from '../../apps/gateway/src/connections/keys/sealing-key.ts'
export { TOKEN_CLOCK_TOLERANCE_SECONDS } from '../../apps/gateway/src/clients/access.ts'
export { issuerMetadataLocations } from '../../apps/gateway/src/connections/oauth/metadata-locations.ts'
export { Failure } from '../../apps/gateway/src/platform/failure.ts'
export { jsonLog } from '../../apps/gateway/src/platform/log.ts'
export { redisFacts } from '../../apps/gateway/src/platform/redis-facts.ts'
export { guardedFetches, isLoopback, createSsrfGuard, type GuardedFetch } from '../../packages/outbound/src/index.ts'
export {
  DATABASE_RELEASE,
  openDataDir,
  loadEnvFile,
  openDatabase,
  readSettings,
  repositoryRoot,
  StartupError,
  type Environment,
} from '../../packages/process/src/index.ts'
export { installationFolder } from '../../packages/process/src/installation.ts'
export { probeKey, PROBE_PATHS, type ProbedProcess, type ObservedRequest } from '../../packages/process/src/probe.ts'

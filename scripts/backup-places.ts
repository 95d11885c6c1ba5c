/** The databases of the gateway and of the web app, as the settings name them. */
import { z } from 'zod'
import {
  openDataDir,
  loadEnvFile,
  openDatabase,
  readSettings,
  repositoryRoot,
  type Environment,
} from '../packages/process/src/index.ts'

const Settings = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** Seals the generated secrets; without it they are written to a separate file. */
  BACKUP_PASSPHRASE: z.string().min(12, 'must have at least 12 characters').optional(),
})

export interface Places {
  readonly env: Environment
  readonly gatewayUrl: string
  readonly webUrl: string
  /** The folder of the generated secrets. */
  readonly dataFolder: string
  readonly embedded: boolean
  readonly passphrase: string | undefined
  close(): Promise<void>
}

/** @throws {StartupError} */
export async function openPlaces(): Promise<Places> {
  const env = loadEnvFile(repositoryRoot, process.env)
  const { DATABASE_URL: databaseUrl, BACKUP_PASSPHRASE: passphrase } = readSettings(Settings, env)
  const dataFolder = openDataDir(env, repositoryRoot)
  const gateway = await openDatabase({ databaseUrl, dataDir: dataFolder, database: 'gateway' })
  const web = databaseUrl ? gateway : await openDatabase({ dataDir: dataFolder, database: 'web' })
  return {
    env,
    gatewayUrl: gateway.url,
    webUrl: web.url,
    dataFolder,
    embedded: gateway.embedded,
    passphrase,
    async close() {
      if (web !== gateway) await web.close()
      await gateway.close()
    },
  }
}

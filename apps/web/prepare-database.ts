/** Makes the tables of the web app, those of the migrations that the arguments name. `npm run restore` fills them; the next start brings them up to date. */
import { openDataDir, loadEnvFile, openDatabase, readSettings, repositoryRoot, StartupError } from '@nmg/process'
import { z } from 'zod'
import { makeTables } from './lib/auth.ts'
import { openPool } from './lib/database.ts'

try {
  const env = loadEnvFile(repositoryRoot, process.env)
  const { DATABASE_URL: databaseUrl } = readSettings(z.object({ DATABASE_URL: z.url().optional() }), env)
  const dataFolder = databaseUrl ? '' : openDataDir(env, repositoryRoot)
  const database = await openDatabase({ databaseUrl, dataDir: dataFolder, database: 'web' })
  const pool = openPool(database.url)
  try {
    const options = {
      pool,
      // Of no account: only the tables are made.
      webUrl: 'http://localhost',
      secret: 'not-used-as-nothing-is-signed-here',
      trustedProxies: [],
      gatewayPublicUrl: 'http://localhost',
      accessTokenSeconds: 900,
      providers: { offered: [], oidc: undefined, social: {} },
      sendMail: undefined,
    }
    await makeTables(options, process.argv.slice(2))
  } finally {
    await pool.end()
    await database.close()
  }
} catch (error) {
  if (!(error instanceof StartupError)) throw error
  process.stderr.write(`prepare-database: ${error.message}\n`)
  process.exitCode = 1
}

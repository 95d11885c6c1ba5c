/**
 * Prints a password reset link, which the operator passes to the user:
 *
 *     npm run reset-link -- ada@example.com
 */
import { randomBytes } from 'node:crypto'
import {
  openDataDir,
  loadOrCreateSecret,
  loadEnvFile,
  openDatabase,
  readSettings,
  repositoryRoot,
  StartupError,
} from '@nmg/process'
import { openAuth } from './lib/auth.ts'
import { openPool } from './lib/database.ts'
import { makeResetLink } from './lib/password-reset.ts'
import { authSecrets, Settings } from './lib/settings.ts'

try {
  const email = process.argv[2]
  if (!email) throw new StartupError('Pass the email address of the account: npm run reset-link -- ada@example.com')
  process.stdout.write(`${await linkFor(email)}\n`)
} catch (error) {
  if (!(error instanceof StartupError)) throw error
  process.stderr.write(`reset-link: ${error.message}\n`)
  process.exitCode = 1
}

async function linkFor(email: string): Promise<string> {
  const env = loadEnvFile(repositoryRoot, process.env)
  const settings = readSettings(Settings, env)
  const folder = settings.DATABASE_URL ? '' : openDataDir(env, repositoryRoot)
  const webUrl = new URL(settings.WEB_URL ?? `http://localhost:${env['WEB_PORT'] ?? settings.PORT}`).origin
  const database = await openDatabase({ databaseUrl: settings.DATABASE_URL, dataDir: folder, database: 'web' })
  const pool = openPool(database.url)
  try {
    const auth = await openAuth({
      pool,
      webUrl,
      secret: authSecrets(settings, () =>
        loadOrCreateSecret(folder, 'auth-secret', () => randomBytes(32).toString('base64url')),
      )[0],
      providers: { offered: [], oidc: undefined, social: {} },
      sendMail: undefined,
    })
    const link = await makeResetLink(auth, webUrl, email)
    if (!link) throw new StartupError('No account has this email address.')
    return link
  } finally {
    await pool.end()
    await database.close()
  }
}

import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { join, resolve } from 'node:path'
import { isLoopback, proxiesFrom, createSsrfGuard } from '@nmg/outbound'
import {
  openDataDir,
  loadOrCreateSecret,
  loadEnvFile,
  openDatabase,
  readSettings,
  repositoryRoot,
  type Environment,
} from '@nmg/process'
import next from 'next'
import type { Pool } from 'pg'
import { seedDemo } from './seed-demo.ts'
import { openAuthorizationServer } from '../authorization-server/authorization-server.ts'
import { documentResolver } from '../authorization-server/document-resolver.ts'
import { openAuth } from '../lib/auth.ts'
import { withCause } from '../lib/caught-cause.ts'
import { chatModels } from '../lib/chat-models.ts'
import { exclusively, openPool } from '../lib/database.ts'
import { closeActiveStreams, activeStreams } from '../lib/active-streams.ts'
import { log, setLogLevel } from '../lib/log.ts'
import { mailer } from '../lib/mail.ts'
import { provideRuntime } from '../lib/runtime.ts'
import { authSecrets, Settings } from '../lib/settings.ts'
import { startSessionSweeps } from '../lib/sweep-sessions.ts'
import { openAccounts } from './accounts.ts'
import { startHousekeeping } from './housekeeping.ts'
import { serveHttp } from './http.ts'
import { probeWith } from './probe.ts'
import { readinessOf } from './readiness.ts'
import { resignedCookies } from './resigned-cookies.ts'
import { staticFiles } from './static-files.ts'

/** As for the gateway. */
const SHUTDOWN_GRACE_SECONDS = 20

const APP = resolve(import.meta.dirname, '..')

/**
 * Opens everything the web app needs, in order, and serves it.
 *
 * @param build the folder of the build, in the web app's own; undefined in development.
 */
export async function startWeb(
  environment: Environment,
  { isDevelopment, build }: { isDevelopment: boolean; build: string | undefined },
): Promise<{ stop(): Promise<void> }> {
  const env = loadEnvFile(repositoryRoot, environment)
  const settings = readSettings(Settings, env)

  // Nothing is made on disk for a deployment that brings its own database and secrets.
  const folder = settings.DATABASE_URL ? '' : openDataDir(env, repositoryRoot)
  const secret = (name: string) => loadOrCreateSecret(folder, name, () => randomBytes(32).toString('base64url'))
  const database = await openDatabase({ databaseUrl: settings.DATABASE_URL, dataDir: folder, database: 'web' })
  setLogLevel(settings.LOG_LEVEL)
  const pool = openPool(database.url, settings.DATABASE_POOL_SIZE)
  const close = async () => {
    await pool.end()
    await database.close()
  }
  try {
    const serving = await serve({ settings, isDevelopment, build, pool, secret })
    return {
      async stop() {
        await serving.stop()
        await close()
        log.info('web.stopped')
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

interface Opened {
  readonly settings: Settings
  readonly isDevelopment: boolean
  readonly build: string | undefined
  readonly pool: Pool
  /** Of this name, made at the first start and kept. */
  readonly secret: (name: string) => string
}

async function serve({ settings, isDevelopment, build, pool, secret }: Opened): Promise<{ stop(): Promise<void> }> {
  const webUrl = new URL(settings.WEB_URL ?? `http://localhost:${settings.PORT}`).origin
  const gatewayPublicUrl = new URL(settings.GATEWAY_PUBLIC_URL ?? settings.CUDU_ENDPOINT).origin
  const serviceToken = firstOf(settings.GATEWAY_SERVICE_TOKEN ?? secret('gateway-service-token'))
  const secrets = authSecrets(settings, () => secret('auth-secret'))
  const sendMail = mailer(settings)
  const accounts = await openAccounts(settings, (providers) =>
    openAuth({
      pool,
      webUrl,
      secret: secrets[0],
      providers,
      sendMail,
    }),
  )
  const isDemo = settings.NOTION_GATEWAY_DEMO === '1'
  const answers = activeStreams()
  if (isDemo) await exclusively(pool, () => seedDemo(accounts.auth))

  const authorizationServer = openAuthorizationServer({
    pool,
    webUrl,
    gatewayUrl: settings.CUDU_ENDPOINT,
    gatewayPublicUrl,
    serviceToken,
    secrets,
    accessTokenSeconds: settings.CLIENT_TOKEN_SECONDS,
    // The demo does without the Internet, where such documents are.
    documents:
      (settings.CLIENT_METADATA_DOCUMENTS ?? !isDemo)
        ? documentResolver({
            pool,
            guard: createSsrfGuard({ alsoAllow: isLoopback(new URL(webUrl)) ? ['loopback'] : [] }),
            proxies: proxiesFrom(settings),
          })
        : undefined,
    userOf: async (headers) => (await accounts.auth.api.getSession({ headers }))?.user.id,
  })
  provideRuntime({
    get auth() {
      return accounts.auth
    },
    withCause,
    pool,
    webUrl,
    gatewayUrl: settings.CUDU_ENDPOINT,
    gatewayPublicUrl,
    authorizationServer,
    serviceToken,
    bindingCookieDomain: settings.BINDING_COOKIE_DOMAIN,
    isDemo,
    chatModels: chatModels(settings, isDemo),
    chatMaxSteps: settings.CHAT_MAX_STEPS,
    activeStreams: answers,
    signInProviders: accounts.providers.offered,
    sendMail,
  })

  const app = next({
    dev: isDevelopment,
    dir: APP,
    hostname: settings.HOST,
    port: settings.PORT,
    // Next takes over upgrades on the server that it is told of, and leaves them without a response. Without a listener, Node serves such
    // requests as if nothing had been offered (RFC 9110 §7.8). Development needs its WebSocket.
    ...(!isDevelopment && { httpServer: createServer() }),
  })
  await app.prepare()
  const handlePage = app.getRequestHandler()
  const resignCookies = resignedCookies(secrets)
  const files = build === undefined ? undefined : staticFiles(pool, join(APP, build, 'static'))
  await files?.publish()
  const server = await serveHttp(settings.HOST, settings.PORT, {
    webUrl,
    isHttps: webUrl.startsWith('https:'),
    isDevelopment,
    trustedProxies: settings.TRUSTED_PROXIES,
    readiness: readinessOf({
      pool,
      gatewayUrl: settings.CUDU_ENDPOINT,
      isStopping: () => answers.isClosing,
      isSingleSignOnSilent: () => accounts.providers.oidc === 'silent',
    }),
    probe: probeWith(serviceToken),
    handle: async (request, response) => {
      if (await files?.handle(request, response)) return
      if (request.headers.cookie !== undefined) request.headers.cookie = resignCookies(request.headers.cookie)
      if (!(await authorizationServer.handle(request, response))) await handlePage(request, response)
    },
  })
  const housekeeping = startHousekeeping({
    pool,
    gatewayUrl: settings.CUDU_ENDPOINT,
    serviceToken,
    renewStaticFiles: async () => files?.renew(),
  })
  const stopSweeping = startSessionSweeps(pool)
  log.info('web.listening', { url: webUrl, host: settings.HOST, port: server.port, isDemo })

  return {
    async stop() {
      // Before the server stops: each answer keeps the streams of its readers open, and those read it to its end.
      await closeActiveStreams(answers, (settings.SHUTDOWN_GRACE_SECONDS ?? SHUTDOWN_GRACE_SECONDS) * 1_000)
      await server.stop()
      await app.close()
      housekeeping.stop()
      stopSweeping()
      accounts.stop()
      authorizationServer.stop()
    },
  }
}

const firstOf = (tokens: string) => tokens.split(',')[0]?.trim() ?? ''

import { getCurrentAdapter } from '@better-auth/core/context'
import { betterAuth, type BetterAuthOptions } from 'better-auth'
import { APIError, createAuthMiddleware } from 'better-auth/api'
import { getMigrations } from 'better-auth/db/migration'
import { organization } from 'better-auth/plugins'
import type { Pool } from 'pg'
import { cleanDisplayName, DisplayName } from '@nmg/contract'
import { noteCause } from './caught-cause.ts'
import { betterAuthDatabase, exclusively } from './database.ts'
import { databaseFailure } from './database-failure.ts'
import { causeOf, log } from './log.ts'
import type { SendMail } from './mail.ts'
import { applyMigrations } from './migrations.ts'
import { cookieSettings } from './session-cookies.ts'
import { RESET_SECONDS, resetLink, resetMail } from './reset-mail.ts'
import { oidcPlugin, type SignInProviders } from './sign-in-providers.ts'
import { containsNul } from './text.ts'

export interface AuthOptions {
  readonly pool: Pool
  readonly webUrl: string
  readonly secret: string
  readonly providers: SignInProviders
  /** Undefined where mail is not set up: then only the operator makes links to reset a password. */
  readonly sendMail: SendMail | undefined
}

/**
 * Accounts, sessions and spaces, on better-auth, with their tables brought up to date. A space is its *organization*; the roles are owner, admin and member.
 * A user without a space gets a first one at sign-in.
 */
export async function openAuth(options: AuthOptions) {
  const configuration = configure(options)
  // Before the instance is made: making it looks at the tables.
  await migrate(options.pool, configuration)
  return betterAuth(configuration)
}

/** Makes the tables as {@link openAuth} does, of ours those of the `only` named migrations, and starts nothing. */
export const makeTables = (options: AuthOptions, only: readonly string[]): Promise<void> =>
  migrate(options.pool, configure(options), only)

export type Auth = Awaited<ReturnType<typeof openAuth>>

/** Brings the tables up to date; processes that start at the same time take turns. */
async function migrate(pool: Pool, configuration: BetterAuthOptions, only?: readonly string[]): Promise<void> {
  await exclusively(pool, async () => {
    await applyMigrations(
      pool,
      async () => {
        const { runMigrations } = await getMigrations(configuration)
        await runMigrations()
      },
      { only },
    )
  })
}

function configure(options: AuthOptions) {
  const { pool, webUrl, secret, providers, sendMail } = options
  return {
    appName: 'Notion MCP Gateway',
    baseURL: webUrl,
    secret,
    trustedOrigins: [webUrl],
    database: betterAuthDatabase(pool),
    emailAndPassword: {
      enabled: true,
      resetPasswordTokenExpiresIn: RESET_SECONDS,
      // The old password may be compromised, so end all sessions.
      revokeSessionsOnPasswordReset: true,
      ...(sendMail && {
        // Not awaited: the response time would reveal whether the account exists.
        sendResetPassword: async ({ user, token }: { user: { email: string }; token: string }) =>
          void sendMail(resetMail(user.email, resetLink(webUrl, token))),
      }),
    },
    // Store reset tokens hashed.
    verification: { storeIdentifier: { default: 'plain', overrides: { 'reset-password': 'hashed' } } },
    socialProviders: providers.social,
    // Sign-up does not verify the email address, so only a signed-in user can connect another sign-in method.
    account: { accountLinking: { enabled: true, disableImplicitLinking: true } },
    onAPIError: {
      errorURL: `${webUrl}/sign-in`,
      // Log failures only; refusals are in the response. The library's own logger would print both, not as JSON lines.
      onError: (error) => {
        if (error instanceof APIError && error.status !== 'INTERNAL_SERVER_ERROR') return
        if (!noteCause(error)) log.error(databaseFailure(error)?.event ?? 'accounts', causeOf(error))
      },
    },
    // Deleting a space would leave a connection in the gateway that nobody could disconnect.
    plugins: [
      organization({ disableOrganizationDeletion: true, organizationLimit: MOST_SPACES }),
      ...(providers.oidc && providers.oidc !== 'silent' ? [oidcPlugin(providers.oidc)] : []),
    ],
    hooks: {
      before: createAuthMiddleware(async ({ body, query }) => {
        if (containsNul(body) || containsNul(query))
          throw new APIError('BAD_REQUEST', { message: 'The character NUL is not allowed.' })
      }),
    },
    databaseHooks: {
      user: {
        create: { before: async (user) => ({ data: withCheckedName(user) }) },
        update: { before: async (user) => ({ data: withCheckedName(user) }) },
      },
      session: {
        create: {
          before: async (session, context) => {
            if (!context) return
            const adapter = await getCurrentAdapter(context.context.adapter)
            return { data: { ...session, activeOrganizationId: await firstSpace(adapter, session.userId) } }
          },
        },
      },
    },
    // Limits of all routes are in limits.ts: shared by all processes, and by more than the address.
    rateLimit: { enabled: false },
    advanced: {
      database: { generateId: 'uuid' },
      // X-Forwarded-For holds one address, which server/http.ts has determined.
      ipAddress: { ipv6Subnet: 64 },
      ...cookieSettings(webUrl),
      // Both default to values derived from NODE_ENV.
      disableOriginCheck: false,
      disableCSRFCheck: false,
    },
    telemetry: { enabled: false },
    logger: {
      level: 'warn',
      log: (level, message, ...rest: unknown[]) => {
        const error = rest.find((each) => each instanceof Error)
        if (level === 'error' && noteCause(error)) return
        log[level === 'error' ? 'error' : 'warn']('accounts', { message, ...(error && causeOf(error)) })
      },
    },
  } satisfies BetterAuthOptions
}

/** Spaces of one user. Each has a connection of its own, and each connection a client registered at Notion. */
const MOST_SPACES = 10

/** Names come from forms and, cleaned already, from identity providers. */
function withCheckedName<User extends object>(user: User): User {
  if (!('name' in user) || user.name === undefined) return user
  const checked = DisplayName.safeParse(user.name)
  if (checked.success) return { ...user, name: checked.data }
  const { message = '' } = checked.error.issues[0] ?? {}
  throw new APIError('BAD_REQUEST', {
    code: 'INVALID_NAME',
    message: `${message.charAt(0).toUpperCase()}${message.slice(1)}.`,
  })
}

type Adapter = Pick<Awaited<ReturnType<typeof getCurrentAdapter>>, 'create' | 'findMany' | 'findOne'>

/** The space that this user joined first; made when there is none. */
async function firstSpace(adapter: Adapter, userId: string): Promise<string> {
  const [member] = await adapter.findMany<{ organizationId: string }>({
    model: 'member',
    where: [{ field: 'userId', value: userId }],
    sortBy: { field: 'createdAt', direction: 'asc' },
    limit: 1,
  })
  if (member) return member.organizationId
  const user = await adapter.findOne<{ name: string }>({ model: 'user', where: [{ field: 'id', value: userId }] })
  return createSpace(adapter, cleanDisplayName(user?.name && `${user.name}'s space`) ?? 'My space', userId)
}

/** A new space with this user as its owner. */
export async function createSpace(adapter: Adapter, name: string, ownerId: string): Promise<string> {
  const createdAt = new Date()
  const space = await adapter.create<Record<string, unknown>, { id: string }>({
    model: 'organization',
    data: { name, slug: `space-${crypto.randomUUID()}`, createdAt },
  })
  await adapter.create({
    model: 'member',
    data: { organizationId: space.id, userId: ownerId, role: 'owner', createdAt },
  })
  return space.id
}

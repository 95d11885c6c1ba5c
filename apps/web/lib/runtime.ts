import type { Pool } from 'pg'
import type { Auth } from './auth.ts'
import type { ClientAuthorization } from './authorization.ts'
import type { withCause } from './caught-cause.ts'
import type { ChatModel } from './chat-models.ts'
import type { ActiveStreams } from './active-streams.ts'
import type { SendMail } from './mail.ts'
import type { SignInProvider } from './sign-in-providers.ts'

/** What the process opened at start and every page and route needs. */
export interface Runtime {
  readonly auth: Auth
  /** For calls of `auth`, which tells its errors to the log only. */
  readonly withCause: typeof withCause
  readonly pool: Pool
  readonly webUrl: string
  readonly gatewayUrl: string
  /** The gateway as MCP clients know it. */
  readonly gatewayPublicUrl: string
  /** The authorization server for MCP clients. */
  readonly authorizationServer: ClientAuthorization
  readonly serviceToken: string
  readonly bindingCookieDomain: string | undefined
  readonly isDemo: boolean
  /** The default first; none when the operator set none. */
  readonly chatModels: readonly ChatModel[]
  /** Maximum model calls of one run. */
  readonly chatMaxSteps: number
  readonly activeStreams: ActiveStreams
  /** Besides email and password. */
  readonly signInProviders: readonly SignInProvider[]
  /** Undefined where mail is not set up. */
  readonly sendMail: SendMail | undefined
}

/** The parts that a function uses; pages and routes pass {@link runtime}. */
export type App<Part extends keyof Runtime> = Pick<Runtime, Part>

// Next bundles pages apart from the process that serves them, so a module variable would exist twice.
const KEY = Symbol.for('nmg.web.runtime')
const registry = globalThis as { [KEY]?: Runtime }

export function provideRuntime(runtime: Runtime): void {
  registry[KEY] = runtime
}

/** Only while a request is served: there is none when pages are built. */
export function runtime(): Runtime {
  const provided = registry[KEY]
  if (!provided) throw new Error('Pages are served by apps/web/main.ts, not by `next start`.')
  return provided
}

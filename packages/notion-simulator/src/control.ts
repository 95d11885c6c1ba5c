import { Hono } from 'hono'
import { z } from 'zod'
import { changeOptions } from './options.ts'
import { countRequests } from './recorded-requests.ts'
import { sameSecret } from './secrets.ts'
import type { Simulator } from './running-simulator.ts'
import { type State, timestamp } from './state.ts'

export type ControlOptions = {
  /** When set, requests need `Authorization: Bearer <token>`. */
  token?: string
  /** The running simulator. The endpoint makes the API of this object available over HTTP. */
  simulator: () => Simulator
}

const Filter = z.strictObject({
  grantId: z.string().optional(),
  userId: z.string().optional(),
  workspaceId: z.string().optional(),
  clientId: z.string().optional(),
})
const Advance = z.strictObject({ ms: z.number().min(0) })
const ForgetClients = z.strictObject({ clientId: z.string().optional() })
const PersonalAccessToken = z.strictObject({ user: z.string(), workspace: z.string() })

/** The control endpoint, with JSON requests and responses. It exposes all secrets, so it must be enabled explicitly. */
export function control(state: State, { token, simulator }: ControlOptions): Hono {
  const hono = new Hono()

  hono.use(async (context, next) => {
    // Web pages must not use it: browsers send an Origin with every request that can change something.
    if (context.req.header('origin') !== undefined) return context.json({ error: 'Not from a browser' }, 403)
    const given = context.req.header('authorization') ?? ''
    if (token !== undefined && !sameSecret(given, `Bearer ${token}`)) {
      return context.json({ error: 'The control token is missing or wrong' }, 401)
    }
    return next()
  })
  hono.onError((error, context) => context.json({ error: error.message }, 400))

  const body = async <Schema extends z.ZodType>(request: Request, schema: Schema): Promise<z.infer<Schema>> => {
    const text = await request.text()
    return schema.parse(text ? JSON.parse(text) : {})
  }

  hono.get('/state', (context) =>
    context.json({
      profile: state.profile,
      url: state.url,
      now: timestamp(state),
      options: state.options,
      knobs: state.options,
      counts: countRequests(state.recorded),
      grants: simulator().admin.grants(),
      clients: simulator().admin.clients(),
    }),
  )
  hono.get('/seen', (context) => context.json({ counts: countRequests(state.recorded), ...state.recorded }))
  hono.delete('/seen', (context) => {
    simulator().clearRecorded()
    return context.json({})
  })
  hono.get('/secrets', (context) => context.json({ secrets: state.issuedSecrets.all() }))
  hono.get('/workspaces', (context) => context.json({ workspaces: simulator().workspaces.map(workspaceJson) }))

  for (const path of ['/options', '/knobs']) {
    hono.get(path, (context) => context.json(state.options))
    hono.patch(path, async (context) => {
      changeOptions(state.options, await context.req.json())
      return context.json(state.options)
    })
  }
  hono.post('/advance', async (context) => {
    simulator().advance((await body(context.req.raw, Advance)).ms)
    return context.json({ now: timestamp(state) })
  })
  hono.post('/reset', async (context) => {
    await simulator().reset()
    return context.json({ now: timestamp(state) })
  })

  hono.post('/admin/revoke-grants', async (context) =>
    context.json({ revoked: simulator().admin.revokeGrants(withoutUndefined(await body(context.req.raw, Filter))) }),
  )
  hono.post('/admin/expire-access-tokens', async (context) =>
    context.json({
      expired: simulator().admin.expireAccessTokens(withoutUndefined(await body(context.req.raw, Filter))),
    }),
  )
  hono.post('/admin/forget-clients', async (context) =>
    context.json({ forgotten: simulator().admin.forgetClients((await body(context.req.raw, ForgetClients)).clientId) }),
  )
  hono.post('/admin/forget-sessions', async (context) =>
    context.json({ forgotten: await simulator().admin.forgetSessions() }),
  )
  hono.post('/admin/notify-tools-changed', async (context) => {
    await simulator().admin.notifyToolsChanged()
    return context.json({})
  })
  hono.post('/admin/personal-access-token', async (context) => {
    const { user, workspace } = await body(context.req.raw, PersonalAccessToken)
    return context.json({ token: simulator().admin.issuePersonalAccessToken(user, workspace) })
  })
  return hono
}

function withoutUndefined<Value extends object>(
  value: Value,
): { [Key in keyof Value]?: Exclude<Value[Key], undefined> } {
  // Removes undefined members, as the return type states.
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [Key in keyof Value]?: Exclude<Value[Key], undefined>
  }
}

/** A workspace in JSON, with lists instead of maps. */
function workspaceJson(workspace: Simulator['workspaces'][number]): unknown {
  return Object.fromEntries(
    Object.entries(workspace).map(([name, value]) => [name, value instanceof Map ? [...value.values()] : value]),
  )
}

import 'server-only'
import { authEndpoint, type AuthEndpoint } from './auth-endpoints.ts'
import { requireJson } from './json-body.ts'
import { causeOf, log } from './log.ts'
import { requireWithinLimit, signedIn } from './request-guards.ts'
import { Failure } from './failure.ts'
import { respond } from './problem-response.ts'
import type { App } from './runtime.ts'

/** Handles a request below `/api/auth` with `work` if the endpoint exists and its rate limits allow it. */
export async function guarded(
  app: App<'webUrl' | 'withCause'>,
  request: Request,
  work: (request: Request) => Promise<Response>,
): Promise<Response> {
  const found = authEndpoint(request.method, new URL(request.url).pathname)
  if (!found) return respond(() => Promise.reject(new Failure('not_found', 'Nothing was found at this address.')))
  if ('allow' in found) return notAllowed(found.allow)
  const { endpoint } = found
  try {
    if (takesJson(endpoint) && hasBody(request)) requireJson(request.headers)
    if (endpoint.limit) await requireWithinLimit(request.headers, endpoint.limit, await subjectsOf(request, endpoint))
  } catch (error) {
    if (error instanceof Failure && error.code === 'too_many_attempts') return tooMany(app, endpoint, error)
    return respond(() => Promise.reject(error))
  }
  // As GET; the server leaves the body out.
  const asked = request.method === 'HEAD' ? new Request(request.url, { headers: request.headers }) : request
  return respond(async () => {
    const { value: response, cause } = await app.withCause(() => work(asked))
    if (cause === undefined) return response
    if (response.status < 500) {
      log.warn('accounts', causeOf(cause))
      return response
    }
    if (!endpoint.isOpen) throw cause
    log.error('oauth.failed', { status: response.status, ...causeOf(cause) })
    return response
  })
}

/** The server in front has counted it. */
const hasBody = ({ headers }: Request): boolean => Number(headers.get('content-length') ?? 0) > 0

/** OAuth's own forms and what identity providers post are in other types. */
const takesJson = ({ isOpen, tooManyPage }: AuthEndpoint): boolean => !isOpen && tooManyPage === undefined

async function notAllowed(methods: readonly string[]): Promise<Response> {
  const allow = methods.join(', ')
  const response = await respond(() =>
    Promise.reject(new Failure('method_not_allowed', `This address only accepts ${allow}.`)),
  )
  response.headers.set('allow', allow)
  return response
}

async function subjectsOf(request: Request, { email, isOfUser }: AuthEndpoint) {
  if (email) return { [email]: emailIn(await request.clone().text()) }
  if (!isOfUser) return {}
  const found = await signedIn(request.headers)
  return { user: found?.user.id }
}

function emailIn(body: string): string | undefined {
  try {
    const { email } = JSON.parse(body) as { email?: unknown }
    return typeof email === 'string' ? email : undefined
  } catch {
    // The endpoint reports the fault.
    return undefined
  }
}

/** The refusal in the format of the caller: a page's redirect, OAuth or problem document. */
async function tooMany(app: App<'webUrl'>, { tooManyPage, isOpen }: AuthEndpoint, refusal: Failure): Promise<Response> {
  if (tooManyPage !== undefined) return Response.redirect(app.webUrl + tooManyPage, 302)
  if (!isOpen) return respond(() => Promise.reject(refusal))
  return Response.json(
    { error: 'temporarily_unavailable', error_description: refusal.message },
    {
      status: 429,
      headers: {
        'retry-after': String(refusal.retryAfter ?? 1),
        'cache-control': 'no-store',
        'access-control-allow-origin': '*',
        'access-control-expose-headers': 'retry-after',
      },
    },
  )
}

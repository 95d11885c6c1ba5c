import { type State, timestamp } from '../state.ts'
import type { RecordedAuthorization } from '../recorded-requests.ts'
import { accounts, type Account } from '../workspace/workspace.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import { isRedirectable } from './client-metadata.ts'
import { allowsRedirect, type Client } from './clients.ts'
import { consentPage, errorPage } from './consent-page.ts'
import { type CodeChallenge, matches } from './grants.ts'
import { findClient } from './metadata-document.ts'
import { requestedResources } from './resource.ts'

/** An error without a trusted redirect URI, which is shown as a page. */
class PageError extends Error {}

/** An error that is redirected to the client (RFC 6749 §4.1.2.1). */
class RedirectError extends Error {
  readonly error: string
  readonly request: Pick<AuthorizationRequest, 'redirectUri' | 'state'>
  constructor(error: string, description: string, request: Pick<AuthorizationRequest, 'redirectUri' | 'state'>) {
    super(description)
    this.error = error
    this.request = request
  }
}

/** The parameters of the consent form besides those of the authorization request. */
const CONSENT_FIELDS = ['account', 'user', 'workspace', 'decision']

/**
 * `GET /authorize`: the consent page, or the redirect after it with the option `autoApprove`.
 * `POST /authorize`: the submitted consent form, with the parameters of the authorization request, `decision` (`allow` or `deny`) and the account:
 * `account` as on the page, or `user` and `workspace` by id or name.
 */
export async function authorize(state: State, request: Request): Promise<Response> {
  const isSubmitted = request.method === 'POST'
  const parameters = isSubmitted
    ? new URLSearchParams(await request.text())
    : new URLSearchParams(new URL(request.url).search)
  const consent = new URLSearchParams()
  for (const field of isSubmitted ? CONSENT_FIELDS : []) {
    const value = parameters.get(field)
    if (value !== null) consent.set(field, value)
    parameters.delete(field)
  }
  const record: RecordedAuthorization = {
    at: timestamp(state),
    parameters: Object.fromEntries(parameters),
    outcome: 'refused',
  }
  state.recorded.authorizations.push(record)

  try {
    const authorization = await validate(state, parameters)
    if (isSubmitted) return decide(state, authorization, consent, record)
    const { autoApprove } = state.options
    if (autoApprove) return decide(state, authorization, automaticConsent(autoApprove), record)
    record.outcome = 'page'
    return consentPage(authorization, accounts(state.workspaces), state.url)
  } catch (error) {
    if (error instanceof RedirectError) {
      record.detail = error.error
      return redirectBack(state, error.request, { error: error.error, error_description: error.message })
    }
    if (!(error instanceof PageError)) throw error
    record.detail = error.message
    return errorPage(error.message)
  }
}

async function validate(state: State, parameters: URLSearchParams): Promise<AuthorizationRequest> {
  const { options } = state
  for (const name of new Set(parameters.keys())) {
    if (name !== 'resource' && parameters.getAll(name).length > 1) {
      throw new PageError(`Invalid authorization request: ${name} is given more than once`)
    }
  }
  const clientId = parameters.get('client_id')
  if (!clientId) throw new PageError('Invalid authorization request: client_id is missing')
  const client = await findClient(state, clientId)
  if (!client) throw new PageError('Invalid authorization request: this client is not registered')
  const redirectUri = parameters.get('redirect_uri')
  if (!redirectUri) throw new PageError('Missing redirect_uri in OAuth request')
  if (!isRedirectable(redirectUri) || !allowsRedirect(client, redirectUri, options.redirectMatching)) {
    throw new PageError('Invalid redirect_uri for OAuth client')
  }

  const requestState = parameters.get('state')
  const target = { redirectUri, ...(requestState !== null && { state: requestState }) }
  const resources = requestedResources(state, parameters.getAll('resource'))
  if (!resources) {
    const description = 'The resource parameter must name exactly one configured protected resource'
    throw new RedirectError('invalid_target', description, target)
  }
  if (resources.length > 0 && options.refuseResource.includes('authorization')) {
    throw new RedirectError('invalid_target', 'The resource parameter is not accepted', target)
  }
  checkResponseType(client, parameters.get('response_type'), target)
  const pkce = codeChallenge(state, parameters, target)
  const mustUsePkce =
    options.requirePkce === 'all' || (options.requirePkce === 'public' && client.authMethod === 'none')
  if (!pkce && mustUsePkce) throw new RedirectError('invalid_request', 'code_challenge is required', target)

  const scopes = (parameters.get('scope') ?? '').split(' ').filter((scope) => scope === 'default')
  return { ...target, client, resources, scope: scopes.join(' '), parameters, ...(pkce && { pkce }) }
}

function checkResponseType(
  client: Client,
  responseType: string | null,
  target: Pick<AuthorizationRequest, 'redirectUri' | 'state'>,
): void {
  if (!responseType) throw new RedirectError('invalid_request', 'response_type is required', target)
  if (responseType !== 'code') {
    throw new RedirectError('unsupported_response_type', 'Only response_type=code is supported', target)
  }
  if (!client.responseTypes.includes('code')) {
    throw new RedirectError('unauthorized_client', 'The client is not registered for response_type code', target)
  }
}

function codeChallenge(
  { options }: State,
  parameters: URLSearchParams,
  target: Pick<AuthorizationRequest, 'redirectUri' | 'state'>,
): CodeChallenge | undefined {
  const challenge = parameters.get('code_challenge')
  if (!challenge) {
    if (!parameters.get('code_challenge_method')) return undefined
    throw new RedirectError('invalid_request', 'code_challenge is required with code_challenge_method', target)
  }
  const method = parameters.get('code_challenge_method') || 'plain'
  if (method === 'S256') return { challenge, method }
  if (method !== 'plain') {
    throw new RedirectError('invalid_request', 'code_challenge_method is not supported', target)
  }
  if (!options.plainPkce) {
    throw new RedirectError('invalid_request', 'The plain PKCE method is not allowed. Use S256 instead.', target)
  }
  return { challenge, method }
}

function automaticConsent(autoApprove: Exclude<State['options']['autoApprove'], false>): URLSearchParams {
  const { user, workspace, decision = 'allow' } = autoApprove === true ? {} : autoApprove
  return new URLSearchParams({ decision, ...(user && { user }), ...(workspace && { workspace }) })
}

function decide(
  state: State,
  request: AuthorizationRequest,
  consent: URLSearchParams,
  record: RecordedAuthorization,
): Response {
  const decision = consent.get('decision')
  if (decision === 'deny') {
    record.outcome = 'denied'
    const description = 'The user denied the authorization request'
    return redirectBack(state, request, { error: 'access_denied', error_description: description })
  }
  if (decision !== 'allow') throw new PageError('The decision must be allow or deny')
  const account = chosenAccount(state, consent)
  const { grant, code } = state.grants.create({
    userId: account.user.id,
    workspaceId: account.workspace.id,
    clientId: request.client.id,
    scope: request.scope,
    resources: request.resources,
    redirectUri: request.redirectUri,
    ...(request.pkce && { pkce: request.pkce }),
  })
  revokeOlderGrants(state, grant.id, account, request.client.id)
  record.outcome = 'allowed'
  record.grantId = grant.id
  return redirectBack(state, request, { code })
}

function chosenAccount(state: State, consent: URLSearchParams): Account {
  const [user, workspace] = consent.get('account')?.split('/') ?? [consent.get('user'), consent.get('workspace')]
  const account = accounts(state.workspaces, user ?? undefined, workspace ?? undefined)[0]
  if (!account) throw new PageError('This user is not a member of this workspace')
  return account
}

/** Revokes older grants at the consent, even if the code is never exchanged. */
function revokeOlderGrants(state: State, newGrantId: string, account: Account, clientId: string): void {
  const rule = state.options.revokeExistingGrants
  if (rule === 'off') return
  const filter = {
    clientId,
    userId: account.user.id,
    ...(rule === 'same-user-and-workspace' && { workspaceId: account.workspace.id }),
  }
  for (const grant of state.grants.all()) {
    if (grant.id !== newGrantId && matches(grant, filter)) state.grants.revoke(grant, 'authorized again')
  }
}

function redirectBack(
  state: State,
  request: Pick<AuthorizationRequest, 'redirectUri' | 'state'>,
  result: Record<string, string>,
): Response {
  const { iss, issOnErrors } = state.options
  const location = new URL(request.redirectUri)
  for (const [name, value] of Object.entries(result)) location.searchParams.set(name, value)
  if (request.state !== undefined) location.searchParams.set('state', request.state)
  if (iss !== 'omitted' && (!('error' in result) || issOnErrors)) {
    location.searchParams.set('iss', iss === 'right' ? state.url : 'https://issuer.invalid')
  }
  // Browsers follow a 302 after a POST with a GET. The code must not be cached.
  return new Response(null, { status: 302, headers: { location: location.href, 'cache-control': 'no-store' } })
}

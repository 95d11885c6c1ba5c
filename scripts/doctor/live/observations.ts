/** Observations at Notion, as rows of a table without secrets: names of members, numbers and error codes, never tokens or ids. Pure. */
import { plain, type Answer } from './consent.ts'

export interface Row {
  /** The number of the question, as docs/doctor.md lists them. */
  readonly question: number
  readonly subject: string
  readonly observed: string
}

const row = (question: number, subject: string, observed: string): Row => ({ question, subject, observed })

const STANDARD_MEMBERS = new Set(['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope', 'resource'])

export function aboutTokens({ body }: Answer): Row[] {
  const further = Object.keys(body).filter((name) => !STANDARD_MEMBERS.has(name))
  return [
    row(1, 'life of the access token', 'expires_in' in body ? `${plain(body['expires_in'])} s` : 'not given'),
    row(1, 'refresh token', typeof body['refresh_token'] === 'string' ? 'given' : 'not given'),
    row(2, 'further members of the token response', further.map(plain).join(', ') || 'none'),
  ]
}

export function aboutRegistration({ status, body }: Answer): Row[] {
  const expiry = body['client_secret_expires_at']
  return [
    row(5, 'end of the registration', expiry === undefined ? 'not given' : `client_secret_expires_at ${plain(expiry)}`),
    row(7, 'registration', `status ${status}, ${Object.keys(body).map(plain).toSorted().join(', ')}`),
    row(7, 'registration_client_uri', 'registration_client_uri' in body ? 'given' : 'not given'),
  ]
}

export function aboutRedirect(redirect: URLSearchParams, issuer: string): Row {
  const given = redirect.get('iss')
  const observed = given === null ? 'not given' : given === issuer ? 'given, the issuer' : 'given, ANOTHER issuer'
  return row(7, 'iss on the redirect', observed)
}

/** A response of the MCP endpoint. */
export interface McpAnswer {
  /** Undefined for a stream that did not end. */
  readonly status: number | undefined
  readonly hasSession: boolean
  readonly message: Readonly<Record<string, unknown>>
}

export function aboutInitialize(answer: McpAnswer): Row[] {
  const result = memberOf(answer.message, 'result')
  const { instructions } = result
  return [
    row(6, 'initialize', outcomeOf(answer)),
    row(6, 'protocol version', plain(result['protocolVersion'] ?? 'not given')),
    row(6, 'session header', answer.hasSession ? 'given' : 'not given'),
    row(6, 'capabilities', Object.keys(memberOf(result, 'capabilities')).map(plain).join(', ') || 'none'),
    row(6, 'instructions', typeof instructions === 'string' ? `${instructions.length} characters` : 'not given'),
  ]
}

export function aboutTools(answer: McpAnswer): Row[] {
  const { tools } = memberOf(answer.message, 'result')
  if (!Array.isArray(tools)) return [row(6, 'tools/list', outcomeOf(answer))]
  const objects = tools.filter((tool): tool is Record<string, unknown> => typeof tool === 'object' && tool !== null)
  const annotated = objects.filter((tool) => 'annotations' in tool).length
  return [
    row(6, 'tools', `${objects.length}, ${annotated} with annotations`),
    row(6, 'names of the tools', objects.map(({ name }) => plain(name)).join(', ')),
  ]
}

export const aboutCall = (question: number, subject: string, answer: McpAnswer): Row =>
  row(question, subject, outcomeOf(answer))

export const aboutRefresh = (question: number, subject: string, { status, body }: Answer): Row =>
  row(
    question,
    subject,
    typeof body['access_token'] === 'string'
      ? `status ${status}, new tokens`
      : `status ${status}, ${plain(body['error'])}`,
  )

/** Only the name of an error: its message may contain secrets. */
export const endedEarly = (error: unknown): Row =>
  row(0, 'ended early', error instanceof Error ? error.name : 'unknown')

export const NOT_WALKED: readonly Row[] = [
  row(3, 'the previous refresh token after the grace period', 'not tried: it may end the grant'),
  row(4, 'a second workspace with the same client', 'not tried: it may end other grants'),
  row(8, 'a token for the bare origin', 'not tried: it needs a second consent'),
]

function outcomeOf({ status, message }: McpAnswer): string {
  if (status === undefined) return 'a stream that stays open'
  const error = memberOf(message, 'error')
  if ('code' in error) return `status ${status}, error ${plain(error['code'])}`
  const code = message['error']
  return typeof code === 'string' ? `status ${status}, ${plain(code)}` : `status ${status}`
}

function memberOf(value: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  const member = value[name]
  return typeof member === 'object' && member !== null ? (member as Record<string, unknown>) : {}
}

export function asTable(rows: readonly Row[]): string {
  const lines = rows
    .toSorted((a, b) => a.question - b.question)
    .map(({ question, subject, observed }) => `| ${question} | ${subject} | ${observed.replaceAll('|', '/')} |`)
  return ['| | | observed |', '| --- | --- | --- |', ...lines].join('\n')
}

import type { NextRequest } from 'next/server'
import { fetchGateway } from '@/lib/gateway.ts'
import { memberIn, requireMember, signedIn } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { Failure } from '@/lib/failure.ts'
import { respond } from '@/lib/problem-response.ts'
import { cutWhenOver } from '@/lib/cut-when-over.ts'
import { requireJson } from '@/lib/json-body.ts'
import { mayLeaveApi } from '@/lib/media-types.ts'

/** What an MCP client sends that is meant for the MCP server. The person's cookies stay here. */
const isForwarded = (name: string) =>
  ['accept', 'content-type', 'last-event-id'].includes(name) || name.startsWith('mcp-')

const isAnswered = (name: string) => ['content-type', 'retry-after', 'allow'].includes(name) || name.startsWith('mcp-')

const chosen = (headers: Headers, isWanted: (name: string) => boolean) =>
  new Headers([...headers].filter(([name]) => isWanted(name)))

/** Whether the session is still good, and its person still a member. */
async function isStillIn(headers: Headers, spaceId: string): Promise<boolean> {
  const found = await signedIn(headers)
  return found !== undefined && memberIn(found, spaceId) !== undefined
}

/** A body that takes longer is one that somebody holds back, or a slow network. */
const PROMPT_MS = 1_000

/** The same body, whose end, and with it the call, comes only if it may. */
const endingIf = (body: ReadableStream<Uint8Array>, assertAllowed: () => Promise<void>) =>
  body.pipeThrough(new TransformStream<Uint8Array, Uint8Array>({ flush: assertAllowed }))

/**
 * The response, if it is JSON or an event stream, or has no body. A page or an image of a stranger would be one of this app's origin; of what
 * stands in its place an MCP client needs the status of an error.
 */
async function onlyData(answer: Response): Promise<Response> {
  const type = answer.headers.get('content-type')
  if (!answer.body || mayLeaveApi(type)) return answer
  const reader = answer.body.getReader()
  const { done: isEmpty } = await reader.read()
  void reader.cancel().catch(() => undefined)
  if (isEmpty) return new Response(null, answer)
  if (answer.status < 400) {
    throw new Failure(
      'unexpected_response',
      'Notion answered with something that is neither JSON nor events. The call may have been carried out; look in Notion before you repeat it.',
    )
  }
  const problem = {
    type: 'about:blank',
    title: 'Notion refused the request',
    status: answer.status,
    detail: `Notion answered with status ${answer.status} and a text that is not shown.`,
    code: 'unexpected_response',
    requestId: `req_${crypto.randomUUID()}`,
  }
  const headers = new Headers(answer.headers)
  headers.set('content-type', 'application/problem+json')
  return new Response(JSON.stringify(problem), { status: answer.status, headers })
}

/** The MCP endpoint of a space for this app's own pages: the gateway's proxy, opened by the person's session. */
const forward = (request: NextRequest) =>
  respond(async () => {
    if (request.method !== 'GET') requireOwnOrigin(request.headers)
    if (request.method === 'POST') requireJson(request.headers)
    const startedAt = performance.now()
    const member = await requireMember(request.headers, request.nextUrl.searchParams.get('spaceId'))
    // Nobody prepares calls as a member to let them go afterwards.
    let refusal: Failure | undefined
    const assertStillIn = async () => {
      if (performance.now() - startedAt < PROMPT_MS || (await isStillIn(request.headers, member.space.id))) return
      refusal = new Failure('forbidden_space', 'You are not a member of this space any more. Nothing was called.')
      throw refusal
    }
    const answer = await fetchGateway(member, '/mcp/notion/proxy', {
      method: request.method,
      headers: chosen(request.headers, isForwarded),
      signal: request.signal,
      ...(request.body ? { body: endingIf(request.body, assertStillIn), duplex: 'half' } : {}),
    }).catch((error: unknown) => {
      throw refusal ?? error
    })
    const data = await onlyData(answer)
    const headers = chosen(data.headers, isAnswered)
    // no-transform: compression on the way would hold events back.
    headers.set('cache-control', 'no-store, no-transform')
    // A stream may outlive the membership, or the session, that opened it.
    const body = data.body && cutWhenOver(data.body, () => isStillIn(request.headers, member.space.id))
    return new Response(body, { status: data.status, headers })
  })

export { forward as GET, forward as POST, forward as DELETE }

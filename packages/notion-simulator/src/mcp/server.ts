import { setTimeout as delay } from 'node:timers/promises'
import { McpServer, type CallToolResult, type ServerContext } from '@modelcontextprotocol/server'
import type { McpFault } from '../options.ts'
import type { RecordedMcpRequest } from '../recorded-requests.ts'
import type { State } from '../state.ts'
import { findWorkspace, memberOf } from '../workspace/workspace.ts'
import type { Viewer } from '../workspace/pages.ts'
import { NotFoundError, ValidationError } from '../workspace/errors.ts'
import { finishDueTasks } from '../workspace/tasks.ts'
import { DOCUMENTS } from './documents.ts'
import type { RateLimiter } from './rate-limit.ts'
import { failure, rateLimited, success } from './results.ts'
import { callContextOf, notFound, ToolError, type CallContext, type Tool, type ToolKind } from './tool.ts'
import { listedTools, shortName } from './tools/index.ts'
import { accessTo } from './tools/tool-access.ts'

const ANNOTATIONS: Record<ToolKind, { readOnlyHint: boolean; destructiveHint?: boolean }> = {
  read: { readOnlyHint: true },
  write: { readOnlyHint: false, destructiveHint: false },
  destructive: { readOnlyHint: false, destructiveHint: true },
}

/** Creates an MCP server with the tools and resources of a workspace, for one request or one session. */
export function notionServer(state: State, limiter: RateLimiter, workspaceId: string): McpServer {
  const server = new McpServer({ name: 'Notion MCP', version: '1.0.1' })
  const plan = findWorkspace(state.workspaces, workspaceId)?.plan ?? 'free'
  const tools = listedTools(state.options, plan)
  const dependencies = { state, limiter, toolNames: tools.map(({ name }) => shortName(name)) }
  for (const tool of tools) {
    server.registerTool(
      tool.name,
      {
        title: tool.title,
        description: tool.description,
        inputSchema: tool.input,
        annotations: { title: tool.title, ...ANNOTATIONS[tool.kind] },
      },
      (input, context) => callTool(dependencies, tool, input, context),
    )
  }
  for (const { uri, name, description, text } of DOCUMENTS) {
    server.registerResource(name, uri, { description, mimeType: 'text/markdown' }, () => ({
      contents: [{ uri, mimeType: 'text/markdown', text }],
    }))
  }
  return server
}

/** The dependencies of tool calls. */
type Dependencies = { state: State; limiter: RateLimiter; toolNames: readonly string[] }

async function callTool(
  dependencies: Dependencies,
  tool: Tool,
  input: unknown,
  context: ServerContext,
): Promise<CallToolResult> {
  const call = callContextOf(context.http?.authInfo)
  const signal = AbortSignal.any([context.mcpReq.signal, call.disconnected])
  let outcome: RecordedMcpRequest['toolOutcome'] = 'error'
  try {
    const result =
      rejectCall(dependencies, tool, call) ?? (await runTool(dependencies, tool, input, context, call, signal))
    if (!result.isError) outcome = 'success'
    return result
  } finally {
    call.record.toolOutcome = signal.aborted ? 'abandoned' : outcome
  }
}

/** The error result of a call that is rejected before the tool runs. */
function rejectCall({ state, limiter }: Dependencies, tool: Tool, call: CallContext): CallToolResult | undefined {
  const plan = findWorkspace(state.workspaces, call.workspaceId)?.plan ?? 'free'
  const limited = limiter.admit(call, plan, tool.name)
  if (limited) return rateLimited(limited.retryAfterSeconds, limited.reason)

  const access = accessTo(plan, shortName(tool.name))
  if (access.status === 'plan_required') {
    const message = `${tool.name} needs the ${access.required_plan} plan.`
    return failure(new ToolError('restricted_resource', message, { required_plan: access.required_plan }))
  }

  const { fault } = call
  if (fault?.kind === 'tool-rate-limit') {
    return rateLimited(fault.retryAfterSeconds ?? 30, fault.reason)
  }
  if (fault?.kind === 'tool-error') {
    const message = fault.message ?? 'Something went wrong.'
    return failure({ code: fault.code, status: fault.status ?? 500, message, details: {} })
  }
  return undefined
}

async function runTool(
  { state, toolNames }: Dependencies,
  tool: Tool,
  input: unknown,
  context: ServerContext,
  { userId, workspaceId, fault }: CallContext,
  signal: AbortSignal,
): Promise<CallToolResult> {
  const viewer = viewerOf(state, userId, workspaceId)
  if (!viewer) return failure(new ToolError('unauthorized', 'API token is invalid.'))
  finishDueTasks(viewer.workspace, viewer.now)
  if (fault?.kind === 'deadline' && !fault.applied) return deadlineExceeded(fault)

  const progressToken = context.mcpReq._meta?.progressToken
  try {
    const payload = await tool.run(input, {
      viewer,
      toolNames,
      signal,
      progress: async (progress, total, message) => {
        if (progressToken === undefined) return
        const params = { progressToken, progress, total, message }
        await context.mcpReq.notify({ method: 'notifications/progress', params })
      },
    })
    return fault?.kind === 'deadline' ? await deadlineExceeded(fault) : success(payload)
  } catch (error) {
    return failure(toolErrorOf(error))
  }
}

/** @throws unexpected errors again. */
function toolErrorOf(error: unknown): ToolError {
  if (error instanceof ToolError) return error
  if (error instanceof NotFoundError) return notFound(error.kind, error.id)
  if (error instanceof ValidationError) return new ToolError('validation_error', error.message)
  throw error
}

/** The server-side deadline of 55 s, reported after `delayMs` of real time. */
async function deadlineExceeded(fault: McpFault): Promise<CallToolResult> {
  if (fault.delayMs > 0) await delay(fault.delayMs)
  const message = 'The request took too long: elapsed 55012 ms, deadline 55000 ms.'
  return failure(new ToolError('service_unavailable', message, { retry_guidance: 'check_before_retry' }))
}

function viewerOf(state: State, userId: string, workspaceId: string): Viewer | undefined {
  const workspace = findWorkspace(state.workspaces, workspaceId)
  const user = workspace && memberOf(workspace, userId)?.user
  if (!workspace || !user) return undefined
  const pageUrlBase = state.profile === 'notion-2026-01' ? 'https://www.notion.so/' : 'https://app.notion.com/p/'
  return { workspace, user, now: state.clock.now(), pageUrlBase }
}

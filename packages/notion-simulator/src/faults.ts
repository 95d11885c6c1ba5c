import { McpFault, TokenFault, type Options } from './options.ts'

/** Takes the first matching fault of the queue, and removes it after its last use. */
function take<Fault extends { times?: number | 'always' | undefined }>(
  queue: Fault[],
  matches: (fault: Fault) => boolean,
): Fault | undefined {
  const index = queue.findIndex(matches)
  const fault = queue[index]
  if (!fault || fault.times === 'always') return fault
  const left = (fault.times ?? 1) - 1
  if (left > 0) fault.times = left
  else queue.splice(index, 1)
  return fault
}

/** Takes the fault for this token request, if any. */
export function takeTokenFault(options: Options, grantType: string): TokenFault | undefined {
  const fault = take(options.tokenFaults, ({ on = 'refresh_token' }) => on === 'any' || on === grantType)
  return fault && TokenFault.parse(fault)
}

/** Takes the fault for this MCP request, if any. */
export function takeMcpFault(
  options: Options,
  request: { httpMethod: string; method?: string | undefined; tool?: string | undefined },
): McpFault | undefined {
  const fault = take(
    options.mcpFaults,
    ({ httpMethod, method, tool }) =>
      (!httpMethod || httpMethod === request.httpMethod) &&
      (!method || method === request.method) &&
      (!tool || tool === request.tool),
  )
  return fault && McpFault.parse(fault)
}

import { randomUUID } from 'node:crypto'
import type { CallToolResult } from '@modelcontextprotocol/server'
import type { RateLimitReason } from '../options.ts'
import type { ToolError } from './tool.ts'

/** A result in Notion's format: the payload as JSON in a single text block. */
export function success(payload: unknown): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(payload) }] }
}

/** The error of a REST call as an error result. */
export function failure(error: Pick<ToolError, 'code' | 'status' | 'message' | 'details'>): CallToolResult {
  const body = {
    object: 'error',
    status: error.status,
    code: error.code,
    message: error.message,
    ...error.details,
    request_id: randomUUID(),
  }
  return {
    isError: true,
    content: [
      {
        type: 'text',
        text: JSON.stringify({
          name: 'APIResponseError',
          code: error.code,
          status: error.status,
          headers: {},
          body: JSON.stringify(body),
        }),
      },
    ],
  }
}

/** A rate limit is an error result, not an HTTP 429. */
export function rateLimited(retryAfterSeconds: number, reason: RateLimitReason): CallToolResult {
  const error = { code: 'rate_limited', retry_after_seconds: retryAfterSeconds, rate_limit_reason: reason }
  return {
    isError: true,
    content: [{ type: 'text', text: JSON.stringify({ error }) }],
    structuredContent: { error },
  }
}

import { APICallError, RetryError } from 'ai'
import type { RunFailure } from './chat-message.ts'

/** Converts a provider error to a run failure, without the provider's own text, which can contain anything. */
export function modelFailure(error: unknown): RunFailure {
  const cause = RetryError.isInstance(error) ? error.lastError : error
  if (!APICallError.isInstance(cause)) {
    return { kind: 'failed', code: 'model_unavailable', detail: 'The model didn’t respond. Try again in a moment.' }
  }
  const { statusCode, responseHeaders } = cause
  if (statusCode === 401 || statusCode === 403) {
    return {
      kind: 'failed',
      code: 'model_refused',
      detail: 'The model’s provider rejected the app’s API key. Ask your administrator to check CHAT_API_KEY.',
    }
  }
  if (statusCode === 404) {
    return {
      kind: 'failed',
      code: 'model_refused',
      detail: 'The provider doesn’t know this model. Ask your administrator to check CHAT_MODEL and CHAT_BASE_URL.',
    }
  }
  if (statusCode === 429) {
    const seconds = Number(responseHeaders?.['retry-after'])
    return {
      kind: 'failed',
      code: 'model_rate_limited',
      detail: 'The model’s provider has reached its rate limit.',
      ...(seconds > 0 && { until: new Date(Date.now() + seconds * 1_000).toISOString() }),
    }
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return {
      kind: 'failed',
      code: 'model_refused',
      detail: 'The model rejected this conversation; it may be too long. Start a new one, or choose another model.',
    }
  }
  return {
    kind: 'failed',
    code: 'model_unavailable',
    detail: 'The model’s provider isn’t available right now. Try again later.',
  }
}

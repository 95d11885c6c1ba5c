import type { Scope } from '@nmg/contract'

/** Short label of each scope. */
export const scopeWords: Record<Scope, string> = {
  'notion:read': 'Read only',
  'notion:write': 'Read and change',
}

import type { Scope } from '@nmg/contract'

/** What a scope allows, in two words. */
export const scopeWords: Record<Scope, string> = {
  'notion:read': 'Read only',
  'notion:write': 'Read and change',
}

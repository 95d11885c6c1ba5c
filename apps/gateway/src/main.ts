/** The process. Everything is in serve.ts; this file only has what is loaded after it compiled once and kept for the next start. */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// In the product's own folder: what lies there is run. Where it cannot be written, starting takes a little longer.
enableCompileCache(join(import.meta.dirname, '../../../node_modules/.cache/gateway'))

await import('./serve.ts')

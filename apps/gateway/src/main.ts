/** Entry point: enables the compile cache before it loads serve.ts, which holds the rest. */
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Inside the installation, because cached code is executed. Without write access there, starting only takes a little longer.
enableCompileCache(join(import.meta.dirname, '../../../node_modules/.cache/gateway'))

await import('./serve.ts')

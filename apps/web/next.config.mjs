import { join } from 'node:path'
import { PHASE_DEVELOPMENT_SERVER } from 'next/constants.js'

// Nothing about this product or its users goes to anybody else. The builder reads this after its configuration.
process.env['NEXT_TELEMETRY_DISABLED'] = '1'

/**
 * Response headers, the Content-Security-Policy among them, are set by server/security-headers.ts for every answer alike.
 *
 * @type {import('next').NextConfig}
 */
const config = {
  // Where the running app finds its build (server/web.ts). Building and developing take Next's own folder.
  ...(process.env['WEB_BUILD'] && { distDir: process.env['WEB_BUILD'] }),
  poweredByHeader: false,
  reactStrictMode: true,
  transpilePackages: ['@nmg/contract'],
  turbopack: { root: join(import.meta.dirname, '../..') },
  typedRoutes: true,
  // The title comes with the page for everybody: sent after it, a screen reader would be told of a page without a name.
  htmlLimitedBots: /.*/,
  // Without the tests: a deployment is built without what only they need.
  typescript: { tsconfigPath: 'tsconfig.build.json' },
}

/** @param {string} phase */
export default (phase) =>
  // Apart from the build that `npm start` runs, which may be in use.
  phase === PHASE_DEVELOPMENT_SERVER ? { ...config, distDir: '.next-dev' } : config

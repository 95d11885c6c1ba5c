import { z } from 'zod'

const port = (standard: number) => z.coerce.number().int().min(1).max(65_535).default(standard)

const host = z.string().default('127.0.0.1').describe('Listen address of the gateway and the web app.')

/** Settings of `npm start` and `npm run demo` themselves. */
export const StartSettings = z.object({
  HOST: host,
  PORT: port(8000).describe('Port of the gateway.'),
  WEB_PORT: port(3000).describe('Port of the web app.'),
  DEMO_SIMULATOR_PORT: port(9000).describe('Port of the Notion simulator in `npm run demo`.'),
  DATABASE_URL: z.string().optional().meta({
    description: 'PostgreSQL of both processes. `npm run demo` ignores it.',
    default: 'embedded',
    secret: true,
  }),
})
export type StartSettings = z.infer<typeof StartSettings>

/** Settings of `npm run dev`. It has separate ports, so that it runs beside an installation and the demo. */
export const DevelopmentSettings = z.object({
  HOST: host,
  DEV_GATEWAY_PORT: port(8100).describe('Port of the gateway in `npm run dev`.'),
  DEV_WEB_PORT: port(3100).describe('Port of the web app in `npm run dev`.'),
  DEV_SIMULATOR_PORT: port(9100).describe('Port of the Notion simulator in `npm run dev`.'),
})

/** The official conformance suite's scenarios for authorization servers, with a user who allows what it asks for. */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freePort } from '@/test/support/product.ts'
import { decide, describedClient, open, registerClient, type RawClient } from './client-user.ts'
import { authorizationServerScene } from './clients.ts'
import { documentSite, trusting } from './document-site.ts'

const require = createRequire(import.meta.url)
const suite = join(require.resolve('@modelcontextprotocol/conformance/package.json'), '../dist/index.js')
const site = documentSite()
const on = authorizationServerScene(trusting)

const clients: [string, (redirectUris: string[]) => Promise<RawClient>][] = [
  ['registered', (redirectUris) => registerClient(on().webUrl, { redirect_uris: redirectUris })],
  ['has a document', (redirectUris) => describedClient(on().webUrl, site().publish({ redirect_uris: redirectUris }))],
]

it.each(clients)(
  'passes all of the suite’s checks of an authorization server, with a client that %s',
  async (_, client) => {
    const port = await freePort()
    const { clientId, server } = await client([`http://127.0.0.1:${port}/callback`])
    const options = {
      url: server.issuer,
      'client-id': clientId,
      resource: on().resource(),
      port: `${port}`,
    }
    const child = spawn(process.execPath, [
      suite,
      'authorization',
      ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
    ])
    let output = ''
    let isAsked = false
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const [asked] = /http:\/\/\S+\/oauth2\/authorize\?\S+(?=\s)/.exec(output) ?? []
      if (!asked || isAsked) return
      isAsked = true
      void open(on().ada, asked)
        .then((page) => decide(on().ada, page, { allow: true, spaceId: on().ada.spaceId, scope: 'notion:write' }))
        .then((back) => fetch(back))
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect(output).toContain('authorization-server-metadata-endpoint: 2 passed, 0 failed')
    expect(output).toContain('authorization-code-grant: 1 passed, 0 failed')
    expect(code).toBe(0)
  },
)

/** The official conformance suite's scenarios for authorization servers, with a person who allows what it asks for. */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freePort } from '../../e2e/product.ts'
import { decide, open, registerClient } from './client-person.ts'
import { authorizationServerScene } from './clients.ts'

const require = createRequire(import.meta.url)
const suite = join(require.resolve('@modelcontextprotocol/conformance/package.json'), '../dist/index.js')
const on = authorizationServerScene()

it('passes all of the suite’s checks of an authorization server', async () => {
  const port = await freePort()
  const client = await registerClient(on().webUrl, { redirect_uris: [`http://127.0.0.1:${port}/callback`] })
  const options = {
    url: client.server.issuer,
    'client-id': client.clientId,
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
  expect(output).toContain('authorization-server-metadata-endpoint: 1 passed, 0 failed')
  expect(output).toContain('authorization-code-grant: 1 passed, 0 failed')
  expect(code).toBe(0)
})

/** Anybody can name any address as a client. The web app must not ask there for them what only it can reach: MCP "SSRF", the draft's §6.5. */
import { victim, type Victim } from '@nmg/process/testing'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { authorizationServerScene } from '@/test/clients/clients.ts'
import { askers } from './askers.ts'

const names = new URL('../names.ts', import.meta.url)
names.search = new URLSearchParams({
  'near.test': '127.0.0.1',
  'mapped.test': '::ffff:127.0.0.1',
  'network.test': '10.20.30.40',
  'cloud.test': '169.254.169.254',
}).toString()

// On this machine anything of this machine may be asked; so the app has to be one for everybody.
const on = authorizationServerScene({ WEB_URL: 'https://web.test', NODE_OPTIONS: `--import=${names.href}` })
const ask = askers(on)

let near: Victim
beforeAll(async () => {
  near = await victim()
})
beforeEach(() => {
  near.visits.length = 0
})
afterAll(() => near.close())

it('the victim would notice', async () => {
  await fetch(`http://127.0.0.1:${near.port}/client`)
  expect(near.visits).toEqual(['connected', '/client'])
})

it.each([
  'https://127.0.0.1:PORT',
  'https://127.8.9.10:PORT',
  'https://localhost:PORT',
  'https://a.localhost:PORT',
  'https://[::1]:PORT',
  'https://[::ffff:7f00:1]:PORT',
  'https://[64:ff9b::7f00:1]:PORT',
  'http://127.0.0.1:PORT',
  'http://localhost:PORT',
  'https://10.20.30.40',
  'https://192.168.0.1',
  'https://172.16.0.1',
  'https://100.64.0.1',
  'https://169.254.169.254',
  'https://0.0.0.0:PORT',
  'https://[fd00:ec2::254]',
  'https://[fe80::1]',
  'https://[::]:PORT',
  'https://near.test:PORT',
  'https://mapped.test:PORT',
  'https://network.test',
  'https://cloud.test',
])('sends nothing to %s', async (origin) => {
  expect(await ask(`${origin.replace('PORT', String(near.port))}/client`)).toBe('document_private')
  expect(near.visits).toEqual([])
})

it.each([
  'https://127.1:PORT',
  'https://2130706433:PORT',
  'https://0x7f000001:PORT',
  'https://0x7f.0.0.1:PORT',
  'https://0177.0.0.1:PORT',
  'https://%31%32%37.0.0.1:PORT',
  'https://①②⑦.0.0.1:PORT',
  'https://LOCALHOST:PORT',
  'https://[0:0:0:0:0:0:0:1]:PORT',
  'https://[::ffff:127.0.0.1]:PORT',
  'http://near.test:PORT',
  'https://good.test@127.0.0.1:PORT',
  'https://127.0.0.1:PORT\\good.test',
])('rejects %s as an address', async (origin) => {
  expect(await ask(`${origin.replace('PORT', String(near.port))}/client`)).toBe('document_address')
  expect(near.visits).toEqual([])
})

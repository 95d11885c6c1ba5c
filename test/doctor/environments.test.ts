import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repositoryRoot, StartupError } from '@nmg/process'
import { describe, expect, it, onTestFinished } from 'vitest'
import { authoritiesTooLate } from '../../scripts/doctor/certificate-authorities.ts'
import { environmentsFrom } from '../../scripts/doctor/environments.ts'

function file(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'nmg-doctor-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'one.env'), text)
  return join(folder, 'one.env')
}

describe('the settings that the doctor reads', () => {
  it('are those that npm start would pass to both processes', () => {
    const { gateway, web } = environmentsFrom({ PORT: '8500', WEB_URL: 'https://notion.example.com' }, {})
    expect(gateway).toMatchObject({
      PORT: '8500',
      NOTION_MCP_RETURN_BASE_URL: 'https://notion.example.com',
      GATEWAY_PUBLIC_URL: 'http://localhost:8500',
      NOTION_MCP_OAUTH_REDIRECT_URI: 'http://localhost:8500/integrations/notion/mcp/oauth/callback',
    })
    expect(web).toMatchObject({
      PORT: '3000',
      WEB_URL: 'https://notion.example.com',
      CUDU_ENDPOINT: 'http://localhost:8500',
      GATEWAY_PUBLIC_URL: 'http://localhost:8500',
    })
  })

  it('do not override explicit settings, also from a file', () => {
    const given = { GATEWAY_PUBLIC_URL: 'https://gateway.example.com', CUDU_ENDPOINT_FILE: '/run/endpoint' }
    const { gateway, web } = environmentsFrom(given, {})
    expect(gateway).toMatchObject({ GATEWAY_PUBLIC_URL: 'https://gateway.example.com' })
    expect(web).not.toHaveProperty('CUDU_ENDPOINT')
  })

  it('come from a file for each process, which takes precedence over the environment', () => {
    const gatewayFile = file('LOG_LEVEL=warn\n')
    expect(environmentsFrom({ LOG_LEVEL: 'debug', HOST: '0.0.0.0' }, { gatewayFile })).toEqual({
      gateway: { LOG_LEVEL: 'warn', HOST: '0.0.0.0' },
    })
    expect(() => environmentsFrom({}, { webFile: '/none.env' })).toThrow(
      new StartupError('/none.env cannot be read (ENOENT).'),
    )
  })

  it('are unchanged for a single process', () => {
    expect(environmentsFrom({ PORT: '1' }, { process: 'web' })).toEqual({ web: { PORT: '1' } })
    expect(() => environmentsFrom({}, { process: 'simulator' })).toThrow('--process is gateway or web.')
  })

  it.each([
    [{ NODE_EXTRA_CA_CERTS: '/ca.pem' }, {}, 1],
    [{ NODE_EXTRA_CA_CERTS: '/ca.pem' }, { NODE_EXTRA_CA_CERTS: '/ca.pem' }, 0],
    [{}, {}, 0],
  ] as const)('with %j, where the environment has %j, bring %i warnings about authorities', (all, own, count) => {
    expect(authoritiesTooLate(all, own)).toHaveLength(count)
  })
})

describe('the code of the doctor', () => {
  it('loads the web app’s code only to examine a web app, because the gateway’s image has none', () => {
    const folder = join(repositoryRoot, 'scripts/doctor')
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.ts') && name !== 'web-parts.ts',
    )
    const loaded = files.flatMap((name) =>
      readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .filter((line) => /^(import|export)(?! type\b).*(web-parts|apps\/web)/.test(line)),
    )
    expect(files.length).toBeGreaterThan(10)
    expect(loaded).toEqual([])
  })
})

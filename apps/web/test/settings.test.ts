import { readSettings, StartupError } from '@nmg/process'
import { describe, expect, it } from 'vitest'
import { chatModels } from '@/lib/chat-models.ts'
import { Settings } from '@/lib/settings.ts'

describe('the settings of the web app', () => {
  it('are all optional on a developer’s machine', () => {
    expect(readSettings(Settings, {})).toEqual({
      PORT: 3000,
      HOST: '127.0.0.1',
      CUDU_ENDPOINT: 'http://localhost:8000',
      TRUSTED_PROXIES: [],
      LOG_LEVEL: 'info',
      DATABASE_POOL_SIZE: 10,
      CHAT_MAX_STEPS: 20,
      CLIENT_TOKEN_SECONDS: 900,
      OIDC_NAME: 'single sign-on',
      NOTION_GATEWAY_DEMO: '0',
    })
  })

  it('require the secrets with DATABASE_URL', () => {
    const given = { DATABASE_URL: 'postgresql://web@db/web' }
    expect(() => readSettings(Settings, given)).toThrow(
      new StartupError(
        'GATEWAY_SERVICE_TOKEN: must be set when DATABASE_URL is.\nAUTH_SECRET: must be set when DATABASE_URL is.',
      ),
    )
  })

  it('are reported together when wrong, without their values', () => {
    const wrong = {
      PORT: '80000',
      CUDU_ENDPOINT: 'localhost:8000',
      GATEWAY_PUBLIC_URL: 'https://gateway.example.com/mcp',
      CLIENT_TOKEN_SECONDS: '86400',
      CLIENT_METADATA_DOCUMENTS: 'perhaps',
      WEB_URL: 'https://app.example.com/chat',
      AUTH_SECRET: 'too-short',
      DATABASE_URL: 'mysql://web:a-password@db/web',
      BINDING_COOKIE_DOMAIN: 'not a name',
      TRUSTED_PROXIES: '10.0.0.0/8,everybody',
      SMTP_URL: 'mail.example.com:25',
      MAIL_FROM: 'somebody',
      OIDC_ISSUER: 'http://login.example.com',
      LOG_LEVEL: 'loud',
      DATABASE_POOL_SIZE: '-7',
      NOTION_GATEWAY_DEMO: 'yes',
    }
    const message = messageOf(() => readSettings(Settings, wrong))
    expect(message.split('\n').map((line) => line.split(':')[0])).toEqual(
      expect.arrayContaining([...Object.keys(wrong), 'GATEWAY_SERVICE_TOKEN']),
    )
    for (const value of Object.values(wrong)) expect(message).not.toContain(value)
  })

  it.each(['http://app.example.com', 'https://app.example.com/', 'http://localhost:4000'])(
    'take %s for the app’s own origin',
    (url) => {
      expect(readSettings(Settings, { WEB_URL: url }).WEB_URL).toBe(url)
    },
  )

  it('accept addresses and networks of proxies', () => {
    const { TRUSTED_PROXIES } = readSettings(Settings, { TRUSTED_PROXIES: '10.0.0.0/8, 192.168.1.1,fd00::/8' })
    expect(TRUSTED_PROXIES).toEqual(['10.0.0.0/8', '192.168.1.1', 'fd00::/8'])
  })
})

describe('the models of the chat', () => {
  const models = (given: Record<string, string>, isDemo = false) =>
    chatModels(readSettings(Settings, given), isDemo).map(({ id, provider, name, apiKey }) => [
      id,
      provider,
      name,
      apiKey,
    ])

  it('are distinguished by provider prefix, each with its own key', () => {
    const given = { CHAT_MODEL: 'anthropic/claude-x, openai/gpt-x', CHAT_API_KEY: 'one', OPENAI_API_KEY: 'two' }
    expect(models(given)).toEqual([
      ['anthropic/claude-x', 'anthropic', 'claude-x', 'one'],
      ['openai/gpt-x', 'openai', 'gpt-x', 'two'],
    ])
  })

  it('all use CHAT_BASE_URL, with names exactly as given, if it is set', () => {
    const given = { CHAT_MODEL: 'llama,openai/gpt-x', CHAT_BASE_URL: 'http://localhost:11434/v1' }
    expect(models(given).map(([, provider, name]) => [provider, name])).toEqual([
      ['compatible', 'llama'],
      ['compatible', 'openai/gpt-x'],
    ])
  })

  it('are none by default, and the scripted one in the demo', () => {
    expect(models({})).toEqual([])
    expect(models({}, true)).toEqual([['scripted', 'scripted', 'scripted', undefined]])
  })

  it.each([
    [{ CHAT_MODEL: 'gpt-x' }, /CHAT_MODEL.*must begin with/],
    [{ CHAT_MODEL: 'google/gemini-x' }, /CHAT_MODEL.*CHAT_API_KEY or GOOGLE_GENERATIVE_AI_API_KEY/],
    [{ CHAT_BASE_URL: 'http://localhost:11434/v1' }, /CHAT_MODEL: must be set/],
    [{ CHAT_MAX_STEPS: '0' }, /CHAT_MAX_STEPS/],
  ])('are rejected at startup as %j', (given, message) => {
    expect(messageOf(() => readSettings(Settings, given))).toMatch(message)
  })
})

function messageOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof StartupError) return error.message
    throw error
  }
  throw new Error('nothing was wrong')
}

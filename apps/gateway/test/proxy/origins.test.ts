import { describe, expect, it } from 'vitest'
import { betweenTwo } from './between-two.ts'
import { head, post } from './raw-caller.ts'

const between = betweenTwo()

describe('a request that a web page sends', () => {
  it.each([
    'http://evil.test',
    'https://app.test.evil.test',
    'http://app.test',
    'https://app.test:8443',
    'null',
    'localhost',
    'http://127.0.0.1.evil.test',
  ])('from %s is refused, and nothing goes upstream', async (origin) => {
    between.caller.send(post('{}', `Origin: ${origin}`))
    const { status, body } = await between.caller.answer()
    expect([status, JSON.parse(body.toString())]).toMatchObject([403, { code: 'forbidden_origin' }])
    between.caller.send(head('GET', `Origin: ${origin}`, 'Host: 127.0.0.1'))
    expect((await between.caller.answer()).status).toBe(403)
    expect(between.upstream.connections()).toBe(0)
  })

  it.each(['https://app.test', 'http://localhost:5173', 'http://127.0.0.1:3000', 'http://[::1]:3000'])(
    'from %s passes',
    async (origin) => {
      between.caller.send(post('{}', `Origin: ${origin}`))
      expect((await between.caller.answer()).status).toBe(200)
    },
  )
})

import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { guardedFetch } from '../../src/adapters/oauth/guarded-request.ts'

let server: ReturnType<typeof createServer>
let url: string
let sockets: Socket[]
let received: string
let ends: string[]

/** A server that takes everything and says nothing. */
beforeEach(async () => {
  sockets = []
  received = ''
  ends = []
  server = createServer((socket) => {
    sockets.push(socket)
    socket.on('data', (bytes) => (received += bytes.toString()))
    socket.on('end', () => ends.push('closed'))
    socket.on('error', (error) => ends.push('code' in error ? String(error.code) : error.name))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
})
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  server.close()
})

const post = { method: 'POST', body: 'grant_type=refresh_token' }

describe('a refresh token on its way out', () => {
  it('stays here when the gate is closed in the moment in which the connection is ready', async () => {
    let asked = 0
    const gate = { isOpen: () => ++asked < 0, onLeave: () => expect.unreachable() }
    await expect(guardedFetch(gate, 2_000)(url, post)).rejects.toMatchObject({ name: 'NotEntitled' })
    expect(asked).toBe(1)
    expect(sockets).toHaveLength(1)
    expect(received).toBe('')
  })

  it('is asked about once, before the first byte, and reported gone after the last', async () => {
    const order: string[] = []
    const gate = {
      isOpen: () => order.push(`asked, ${received.length} bytes`) > 0,
      onLeave: () => order.push('leaves'),
      onLeft: () => order.push('left'),
    }
    await expect(guardedFetch(gate, 300)(url, post)).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(order).toEqual(['asked, 0 bytes', 'leaves', 'left'])
    expect(received).toContain('grant_type=refresh_token')
  })

  it('is cut off with its connection when it is given up: a reset, which takes back what has not left this machine', async () => {
    const gate = { isOpen: () => true, onLeave: () => {} }
    const begun = performance.now()
    await expect(guardedFetch(gate, 300)(url, post)).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(performance.now() - begun).toBeLessThan(1_500)
    await expect.poll(() => ends).toEqual(['ECONNRESET'])
  })

  it('is given up in time, and kept for good, when the time is over before the connection is there', async () => {
    let isAsked = false
    const gate = { isOpen: () => (isAsked = true), onLeave: () => {} }
    const begun = performance.now()
    const given = guardedFetch(gate, 1)(url.replace('127.0.0.1', 'localhost'), post)
    // Stands still until the time is over; when it goes on, that is the first thing that it notices.
    while (performance.now() - begun < 50);
    await expect(given).rejects.toMatchObject({ name: 'TimeoutError' })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(isAsked).toBe(false)
    expect(received).toBe('')
  })

  it('is given up in time when the server never says hello', async () => {
    const gate = { isOpen: () => true, onLeave: () => expect.unreachable() }
    const secure = url.replace('http:', 'https:')
    await expect(guardedFetch(gate, 200)(secure, post)).rejects.toMatchObject({ name: 'TimeoutError' })
    await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true)
  })
})

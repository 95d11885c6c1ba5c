import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { listenError, StartupError } from '@nmg/process'
import { describe, expect, it } from 'vitest'
import { childEnded, eventually, launch } from './fixtures.ts'

/** Starts a process and collects its stdout. */
function start(behaviour: string) {
  const child = launch([join(import.meta.dirname, 'process-under-test.ts'), behaviour])
  let output = ''
  child.stdout?.on('data', (chunk) => (output += String(chunk)))
  const ended = childEnded(child)
  return { child, ended, output: () => output, outputs: (text: string) => eventually(() => output.includes(text)) }
}

describe('a process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('stops in order after %s', async (signal) => {
    const { child, ended, output, outputs } = start('runs')
    await outputs('starting')
    child.kill(signal)
    expect(await ended).toEqual({ code: 0, stderr: '' })
    expect(output()).toBe('starting\nstopping\nstopped\n')
  })

  it('stops in order when its parent process ends', async () => {
    const { child, ended, output, outputs } = start('runs')
    await outputs('starting')
    child.disconnect()
    expect(await ended).toEqual({ code: 0, stderr: '' })
    expect(output()).toBe('starting\nstopping\nstopped\n')
  })

  it('exits at once after the second signal', async () => {
    const { child, ended, outputs } = start('stops slowly')
    await outputs('starting')
    child.kill('SIGTERM')
    await outputs('stopping')
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 1 })
  })

  it('stops once when it gets a signal and its parent process ends', async () => {
    const { child, ended, output, outputs } = start('runs')
    await outputs('starting')
    child.kill('SIGTERM')
    child.disconnect()
    expect(await ended).toMatchObject({ code: 0 })
    expect(output()).toBe('starting\nstopping\nstopped\n')
  })

  it('can abort its start when a stop is requested', async () => {
    const { child, ended, outputs } = start('starts slowly')
    await outputs('starting')
    child.kill('SIGTERM')
    expect(await ended).toEqual({ code: 1, stderr: '' })
  })

  it('prints the reason why it does not start', async () => {
    expect(await start('refuses').ended).toEqual({
      code: 1,
      stderr: 'probe: PORT is not a number.\nprobe: HOST is not set.\n',
    })
  })

  it('prints the stack of an unexpected error', async () => {
    const { code, stderr } = await start('breaks').ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/^probe: TypeError: a bug\n.* at .*process-under-test\.ts/)
  })

  it('exits with 1 when it could not stop in order', async () => {
    const { child, ended, outputs } = start('cannot stop')
    await outputs('starting')
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 1, stderr: expect.stringContaining('the disk is gone') })
  })
})

describe('listenError', () => {
  async function errorOf(host: string, port: number): Promise<unknown> {
    const server = createServer()
    const error = await new Promise((resolve) =>
      server.once('error', resolve).listen(port, host, () => resolve(undefined)),
    )
    server.close()
    return listenError(error, host, port)
  }

  it('names a port that is in use', async () => {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const { port } = holder.address() as AddressInfo
    expect(await errorOf('127.0.0.1', port)).toEqual(
      new StartupError(`Port ${port} on 127.0.0.1 is taken. Stop the other program or set PORT to a free one.`),
    )
    holder.close()
  })

  it('names an address that this machine does not have', async () => {
    expect(await errorOf('192.0.2.1', 8000)).toEqual(
      new StartupError(
        'This machine has no address 192.0.2.1. Set HOST to an address of this machine, e.g. 127.0.0.1.',
      ),
    )
  })

  it('returns other errors unchanged', () => {
    const error = new TypeError('something else')
    expect(listenError(error, '127.0.0.1', 8000)).toBe(error)
  })
})

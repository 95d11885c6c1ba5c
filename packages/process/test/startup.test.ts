import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { listenError, StartupError } from '@nmg/process'
import { describe, expect, it } from 'vitest'
import { childEnded, eventually, launch } from './fixtures.ts'

/** A process of which we see what it says on stdout. */
function start(behaviour: string) {
  const child = launch([join(import.meta.dirname, 'process-under-test.ts'), behaviour])
  let output = ''
  child.stdout?.on('data', (chunk) => (output += String(chunk)))
  const ended = childEnded(child)
  return { child, ended, output: () => output, says: (text: string) => eventually(() => output.includes(text)) }
}

describe('a process', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('stops in order at %s', async (signal) => {
    const { child, ended, output, says } = start('runs')
    await says('starting')
    child.kill(signal)
    expect(await ended).toEqual({ code: 0, stderr: '' })
    expect(output()).toBe('starting\nstopping\nstopped\n')
  })

  it('stops in order when the process that started it is gone', async () => {
    const { child, ended, output, says } = start('runs')
    await says('starting')
    child.disconnect()
    expect(await ended).toEqual({ code: 0, stderr: '' })
    expect(output()).toBe('starting\nstopping\nstopped\n')
  })

  it('leaves at once at the second signal', async () => {
    const { child, ended, says } = start('stops slowly')
    await says('starting')
    child.kill('SIGTERM')
    await says('stopping')
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 1 })
  })

  it('stops once when a signal comes and the process that started it is gone', async () => {
    const { child, ended, output, says } = start('runs')
    await says('starting')
    child.kill('SIGTERM')
    child.disconnect()
    expect(await ended).toMatchObject({ code: 0 })
    expect(output()).toBe('starting\nstopping\nstopped\n')
  })

  it('can give up starting when it is told to stop', async () => {
    const { child, ended, says } = start('starts slowly')
    await says('starting')
    child.kill('SIGTERM')
    expect(await ended).toEqual({ code: 1, stderr: '' })
  })

  it('says in its own words why it does not start', async () => {
    expect(await start('refuses').ended).toEqual({
      code: 1,
      stderr: 'probe: PORT is not a number.\nprobe: HOST is not set.\n',
    })
  })

  it('shows where a mistake of ours was made', async () => {
    const { code, stderr } = await start('breaks').ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/^probe: TypeError: a mistake of ours\n.* at .*process-under-test\.ts/)
  })

  it('exits with 1 when it could not stop in order', async () => {
    const { child, ended, says } = start('cannot stop')
    await says('starting')
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 1, stderr: expect.stringContaining('the disk is gone') })
  })
})

describe('a port', () => {
  async function refusal(host: string, port: number): Promise<unknown> {
    const server = createServer()
    const error = await new Promise((resolve) =>
      server.once('error', resolve).listen(port, host, () => resolve(undefined)),
    )
    server.close()
    return listenError(error, host, port)
  }

  it('that is taken is named in one sentence', async () => {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const { port } = holder.address() as AddressInfo
    expect(await refusal('127.0.0.1', port)).toEqual(
      new StartupError(`Port ${port} on 127.0.0.1 is taken. Stop the other program or set PORT to a free one.`),
    )
    holder.close()
  })

  it('on an address that this machine does not have is refused in one sentence', async () => {
    expect(await refusal('192.0.2.1', 8000)).toEqual(
      new StartupError('This machine has no address 192.0.2.1. Set HOST to one that it has, as 127.0.0.1.'),
    )
  })

  it('that fails for another reason keeps its error', () => {
    const error = new TypeError('something else')
    expect(listenError(error, '127.0.0.1', 8000)).toBe(error)
  })
})

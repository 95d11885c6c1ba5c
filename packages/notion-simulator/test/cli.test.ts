import { spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { run } from '../src/cli.ts'

const COMMAND = fileURLToPath(new URL('../bin/notion-simulator.mjs', import.meta.url))

function start(...args: string[]): {
  child: ChildProcess
  output: () => string
  until: (text: string) => Promise<string>
} {
  const child = spawn(process.execPath, [COMMAND, ...args])
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  const listeners = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk)
      for (const listener of listeners) listener()
    })
  }
  const until = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const check = () => {
        if (output.includes(text)) resolve(output)
      }
      listeners.add(check)
      child.on('exit', () => reject(new Error(`It ended: ${output}`)))
      check()
    })
  return { child, output: () => output, until }
}

async function ended(...args: string[]): Promise<{ code: unknown; output: string }> {
  const { child, output } = start(...args)
  const [code] = (await once(child, 'close')) as [unknown]
  return { code, output: output() }
}

/** Runs the command with arguments that do not start the simulator. */
async function typed(...args: string[]): Promise<{ code: unknown; output: string }> {
  let output = ''
  const print = (text: string) => {
    output += text
  }
  const code = await run(args, { out: print, error: print, onStop: () => expect.unreachable('It started') })
  return { code, output }
}

describe('the command', () => {
  it('prints its addresses, serves, and stops after SIGTERM', async () => {
    const { child, until } = start(
      '--port',
      '0',
      '--auto-approve',
      '--control-token',
      'sesame',
      '--options',
      '{"accessTtlSeconds":7}',
    )
    const output = await until('/__control/state')
    const url = /MCP endpoint\s+(\S+)\/mcp/.exec(output)?.[1] ?? ''
    expect(output).toContain('This is not Notion')
    expect(output).toContain('Acme (Ada Sandberg, Ben Okafor)')
    expect(output).not.toContain('sesame')
    const state = await fetch(`${url}/__control/state`, { headers: { authorization: 'Bearer sesame' } })
    expect(await state.json()).toMatchObject({ options: { autoApprove: true, accessTtlSeconds: 7 } })
    const ending = once(child, 'exit')
    child.kill('SIGTERM')
    expect(await ending).toEqual([0, null])
    await expect(fetch(url)).rejects.toThrow()
  })

  it('reports a port that is in use in one sentence', async () => {
    const taken = createServer().listen(0, 'localhost')
    onTestFinished(() => void taken.close())
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const { code, output } = await ended('--port', String(port))
    expect(code).toBe(1)
    expect(output).toBe(
      `notion-simulator: Port ${port} is taken. Stop the other program, or choose another with --port.\n`,
    )
  })

  it('prints its help', async () => {
    const { code, output } = await typed('--help')
    expect(code).toBe(0)
    for (const option of ['--port', '--host', '--profile', '--control', '--auto-approve', '--options', '--knobs']) {
      expect(output).toContain(option)
    }
  })

  it.each([
    [['--port', 'ninety'], '--port takes a number'],
    [['--profile', 'notion-1999'], '--profile takes one of notion-2026-09'],
    [['--options', '{'], '--options takes a JSON object'],
    [['--options', '{"tokenResponse":{"warp":9}}'], 'warp'],
    [['--knobs', '{'], '--knobs takes a JSON object'],
    [['--knobs', '{"warp":9}'], 'warp'],
    [['--prot', '1'], '--help'],
  ])('rejects %j', async (args, sentence) => {
    const { code, output } = await typed(...args)
    expect(code).toBe(1)
    expect(output).toContain('notion-simulator: ')
    expect(output).toContain(sentence)
  })
})

import { describe, expect, it } from 'vitest'
import { inspectFlags } from '../scripts/watch-service.ts'
import { readableLine } from '../scripts/log-line.ts'

describe('npm run dev', () => {
  it.each([
    [
      '{"level":"info","time":"2026-11-29T20:40:25.001Z","process":"web","port":3100,"hold":{"since":1},"event":"web.listening"}',
      '20:40:25 info  web.listening port=3100 hold={"since":1}',
    ],
    [
      '{"level":"error","time":"2026-11-29T20:40:25.001Z","event":"a.b","text":"two words"}',
      '20:40:25 error a.b text=two words',
    ],
    ['{"not":"a log line"}', '{"not":"a log line"}'],
    ['{"level":"info"', '{"level":"info"'],
    ['✓ Compiled in 68ms', '✓ Compiled in 68ms'],
    ['', ''],
  ])('prints %j in readable form', (line, readable) => {
    expect(readableLine(line)).toBe(readable)
  })

  it('gives each process a separate debugger port', () => {
    expect(inspectFlags([])).toBeUndefined()
    expect(inspectFlags(['--inspect'])).toMatchObject({
      gateway: ['--inspect=127.0.0.1:9229'],
      web: ['--inspect=127.0.0.1:9230'],
      simulator: ['--inspect=127.0.0.1:9231'],
    })
    expect(inspectFlags(['--inspect=40000'])).toMatchObject({ web: ['--inspect=127.0.0.1:40001'] })
  })

  it.each([
    ['--inspect=65534'],
    ['--inspect=0'],
    ['--inspect=x'],
    ['--inspects'],
    ['--port', '1'],
    ['--inspect', '--inspect'],
  ])('rejects the options %s %s', (...options) => {
    expect(() => inspectFlags(options)).toThrow(/npm run dev takes one option/)
  })
})

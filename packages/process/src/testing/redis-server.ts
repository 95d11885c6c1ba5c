import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startWatched } from '../watchdog.ts'
import { freePort } from './ports.ts'
import { redisProgram } from './programs.ts'

/**
 * Starts a Redis without persistence; undefined if Redis is not installed.
 *
 * @param given a free port. Default: any.
 */
export async function startRedis(
  folder: string,
  given?: number,
): Promise<{ url: string; stop(): Promise<void> } | undefined> {
  const program = redisProgram()
  if (program === undefined) return undefined

  const logFile = join(folder, 'redis.log')
  // Another program may take the free port first.
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = given ?? (await freePort())
    const options = [
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--databases',
      '10000',
    ]
    const server = startWatched([program, ...options], { logFile, env: { PATH: process.env['PATH'] ?? '' } })
    while (!server.hasExited()) {
      const url = `redis://127.0.0.1:${port}`
      if (await redisCommand(url, 'PING').catch(() => undefined)) return { url, stop: server.stop }
      await sleep(20)
    }
  }
  throw new Error(`${program} did not start: ${readFileSync(logFile, 'utf8')}`)
}

/** Sends one command, whose arguments contain no spaces, and returns its raw reply. */
export async function redisCommand(url: string, command: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port || 6379), hostname)
  socket.setEncoding('utf8')
  try {
    socket.write(`${command}\r\n`)
    for await (const reply of socket) return String(reply).trim()
    throw new Error('Redis closed the connection')
  } finally {
    socket.destroy()
  }
}

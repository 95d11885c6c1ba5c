import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startWatched } from '../watchdog.ts'
import { freePort } from './ports.ts'
import { redisProgram } from './programs.ts'

/**
 * A Redis without persistence; undefined when this machine has none.
 *
 * @param given a port that nobody listens on; one of its own when left out.
 */
export async function startRedis(
  folder: string,
  given?: number,
): Promise<{ url: string; stop(): Promise<void> } | undefined> {
  const program = redisProgram()
  if (program === undefined) return undefined

  const logFile = join(folder, 'redis.log')
  // Another program can take a port that was free a moment ago.
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

/** Sends one command without arguments that hold spaces, and answers its reply as it came over the wire. */
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

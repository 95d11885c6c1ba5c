#!/usr/bin/env node
import { existsSync } from 'node:fs'

const source = new URL('../src/cli.ts', import.meta.url)
const built = new URL('../dist/cli.js', import.meta.url)
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const runsTypeScript = major > 22 || (major === 22 && minor >= 18)

// The published package contains only dist/. In the repository, prefer the source to an outdated build.
const cli = existsSync(source) && runsTypeScript ? source : existsSync(built) ? built : undefined
if (!cli) {
  process.stderr.write(
    `notion-simulator: Node ${process.versions.node} cannot run it from source. Use Node 22.18 or newer, or build it first with "npm run build".\n`,
  )
  process.exit(1)
}

const { run } = await import(cli.href)
const exitCode = await run(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  error: (text) => process.stderr.write(text),
  onStop(stop) {
    let stopping = false
    const end = () => {
      if (stopping) process.exit(1)
      stopping = true
      void stop().then(() => process.exit(0))
    }
    process.on('SIGINT', end)
    process.on('SIGTERM', end)
    // Stop when the parent process that started this one over IPC ends.
    process.on('disconnect', end)
  },
})
if (exitCode !== undefined) process.exitCode = exitCode

/**
 * `npm run test:agents`: installs the agents that are published on npm, in tested versions, and runs their tests.
 * Needs Linux, and some 1.3 GB below `.data`.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../packages/process/src/index.ts'
import { endProgramsWithUs, runProgram } from './programs.ts'

const AGENTS = [
  '@anthropic-ai/claude-code@2.1.330',
  '@openai/codex@0.169.0',
  '@google/gemini-cli@0.61.0',
  'opencode-ai@1.18.33',
]

endProgramsWithUs()
const folder = join(repositoryRoot, '.data/agents')
mkdirSync(folder, { recursive: true })
await runProgram('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', ...AGENTS])
// These scripts install the agents' programs.
for (const script of ['@anthropic-ai/claude-code/install.cjs', 'opencode-ai/postinstall.mjs']) {
  await runProgram(process.execPath, [join(folder, 'node_modules', script)])
}
process.exitCode = await runProgram('vitest', ['run', '--project', 'agents', ...process.argv.slice(2)], {
  AGENTS_BIN: join(folder, 'node_modules/.bin'),
})

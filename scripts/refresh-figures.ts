/**
 * `npm run refresh:figures [-- --only model,sweep,storm,processes,interleavings,days] [--connections 100000]`
 *
 * Measures the figures of docs/refresh.md and updates its table. Rows that were not measured stay unchanged.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { explore, type Rules } from '../apps/gateway/test/refresh/model.ts'
import { sweep } from '../apps/gateway/test/refresh/sweep.ts'
import { repositoryRoot } from '../packages/process/src/index.ts'

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, connections: { type: 'string', default: '100000' } },
})
const PAGE = join(repositoryRoot, 'docs/refresh.md')
const [BEGIN, END] = ['<!-- figures -->\n', '<!-- /figures -->']

type Row = readonly [what: string, figure: string]

const count = (number: number) => Math.round(number).toLocaleString('en-US')

const parts: Record<string, () => Promise<Row[]>> = {
  model: async () =>
    (
      [
        ['two replicas, people who consent again', { replicas: 2, consents: true }],
        ['three replicas', { replicas: 3 }],
        ['three replicas, people who consent again', { replicas: 3, consents: true }],
      ] as [string, Rules][]
    ).map(([title, rules]) => {
      const begun = performance.now()
      const { states, steps, violation } = explore(rules)
      if (violation) throw new Error(violation.what)
      const tookSeconds = (performance.now() - begun) / 1000
      return [`model: ${title}`, `${count(states)} states, ${count(steps)} steps, ${count(tookSeconds)} s`]
    }),
  sweep: async () => {
    const { connections, idleRoundMs, seconds, perSecond, slowestCallMs, plan } = await sweep(
      Number(options.connections),
    )
    console.log(plan.join('\n'))
    return [
      [`sweep: a round with nothing due, ${count(connections)} connections`, `${idleRoundMs.toFixed(1)} ms`],
      [
        `sweep: all of them due at once, one replica`,
        `${count(seconds)} s, that is ${count(perSecond)} renewals a second`,
      ],
      [`sweep: slowest read of a connection meanwhile`, `${count(slowestCallMs)} ms`],
    ]
  },
  storm: async () => [['storm: 2,000 calls on four replicas', said(run('storm'), 'storm: 2000 calls; ')]],
  processes: async () => [['processes: runs with real gateways killed, stopped, cut off', passed(run('processes'))]],
  interleavings: async () => [
    ['interleavings: five minutes, every step late by chance', said(run('interleavings'), 'interleavings: ')],
  ],
  days: async () => [['days: two hundred of them, 300 connections', passed(run('days'))]],
}

/** Runs the long form of a test, and returns its output. */
function run(name: string): string {
  const file = `apps/gateway/test/refresh/${name}.test.ts`
  return execFileSync('vitest', ['run', '--project', 'gateway', '--no-color', file], {
    cwd: repositoryRoot,
    env: { ...process.env, SOAK: '1' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1e8,
  })
}

const said = (output: string, prefix: string): string =>
  output
    .split('\n')
    .find((line) => line.startsWith(prefix))
    ?.slice(prefix.length) ?? 'nothing'

const passed = (output: string): string => `${/Tests +(.*)$/m.exec(output)?.[1] ?? 'nothing'}`

const page = readFileSync(PAGE, 'utf8')
const [before = '', rest = ''] = page.split(BEGIN)
const [table = '', after = ''] = rest.split(END)
const rows = new Map(
  table
    .split('\n')
    .filter((line) => /^\| \w+: /.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, what = '', figure = '', when = '']) => [what, { figure, when }]),
)
const when = `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? '?'}`
for (const name of options.only?.split(',') ?? Object.keys(parts)) {
  const part = parts[name]
  if (!part) throw new Error(`Unknown part "${name}". Parts: ${Object.keys(parts).join(', ')}.`)
  const made = await part()
  for (const what of rows.keys()) if (what.startsWith(`${name}: `)) rows.delete(what)
  for (const [what, figure] of made) {
    console.log(`${what}: ${figure}`)
    rows.set(what, { figure, when })
  }
  const lines = [...rows].map(([what, row]) => `| ${what} | ${row.figure} | ${row.when} |`).toSorted()
  const head = '| what | figure | when, on what |\n| --- | --- | --- |\n'
  writeFileSync(PAGE, `${before}${BEGIN}${head}${lines.join('\n')}\n${END}${after}`)
}

import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { type Tool, tool } from '../tool.ts'

/** Additional tools, for tests of proxies between a client and the simulator. */
const stream = tool({
  name: 'simulator-stream',
  title: 'Stream (simulator only)',
  kind: 'read',
  description: 'Sends `events` progress notifications, `interval_ms` apart, and then its result.',
  input: z.object({
    events: z.number().int().min(0).max(10_000).default(3),
    interval_ms: z.number().int().min(0).max(60_000).default(100),
  }),
  async run({ events, interval_ms }, { progress, signal }) {
    for (let sent = 1; sent <= events; sent++) {
      await delay(interval_ms, undefined, { signal })
      await progress(sent, events, `event ${sent} of ${events}`)
    }
    return { events }
  },
})

const wait = tool({
  name: 'simulator-wait',
  title: 'Wait (simulator only)',
  kind: 'read',
  description: 'Answers only when the caller cancels or goes away, or after `at_most_ms`.',
  input: z.object({ at_most_ms: z.number().int().min(0).max(600_000).default(60_000) }),
  async run({ at_most_ms }, { signal }) {
    const waited = await delay(at_most_ms, 'time is up', { signal }).catch(() => 'aborted')
    return { waited }
  },
})

const payload = tool({
  name: 'simulator-payload',
  title: 'Payload (simulator only)',
  kind: 'read',
  description: 'Answers with a text of `characters` characters; every millionth character is a line break.',
  input: z.object({ characters: z.number().int().min(0).max(200_000_000).default(1_000_000) }),
  run({ characters }) {
    const line = `${'x'.repeat(999_999)}\n`
    return line.repeat(Math.ceil(characters / line.length)).slice(0, characters)
  },
})

/** Without the prefix `notion-`, to distinguish them from Notion's tools. */
export const testTools: readonly Tool[] = [stream, wait, payload].map((definition) => ({
  ...definition,
  name: definition.name.replace(/^notion-/, ''),
}))

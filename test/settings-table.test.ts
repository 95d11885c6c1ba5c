import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { describeSettings, envSection, settingsTable } from '../scripts/settings-table.ts'

const Schema = z
  .object({
    PORT: z.coerce.number().default(8000).describe('Listen port.'),
    ORIGIN: z
      .url()
      .transform((text) => new URL(text))
      .default(new URL('http://localhost:3000'))
      .describe('Origin.'),
    NAME: z.string().default('A name').describe('Shown [on a page](pages.md) as `name`.'),
    LIST: z
      .string()
      .transform((text) => text.split(','))
      .default([])
      .describe('a | b'),
    BYTES: z.coerce.number().default(4096).pipe(z.number().min(1)).describe('Bytes.'),
    TOKEN: z
      .string()
      .optional()
      .meta({ description: 'Token.', defaultText: 'generated into `DATA_DIR`', secret: true }),
    ENDPOINT: z.url().optional().describe('Endpoint.'),
    https_proxy: z.string().optional(),
  })
  .refine(() => true)

describe('the generated settings', () => {
  it('list the schema as a table', () => {
    expect(settingsTable(describeSettings(Schema)).split('\n').slice(2)).toEqual([
      '| `PORT` | `8000` | Listen port. |',
      '| `ORIGIN` | `http://localhost:3000` | Origin. |',
      '| `NAME` | `A name` | Shown [on a page](pages.md) as `name`. |',
      '| `LIST` | – | a \\| b |',
      '| `BYTES` | `4096` | Bytes. |',
      '| `TOKEN` 🔑 | generated into `DATA_DIR` | Token. |',
      '| `ENDPOINT` | – | Endpoint. |',
    ])
  })

  it('list the schema as comments that are valid settings without their #', () => {
    const [title, ...entries] = envSection('Gateway', describeSettings(Schema)).split('\n\n')
    expect(title).toBe('# ---- Gateway ----')
    expect(entries).toContain('# Shown on a page as name.\n#NAME="A name"')
    expect(entries).toContain(
      '# Token. Secret: TOKEN_FILE=/path works too.\n# Default: generated into DATA_DIR\n#TOKEN=',
    )
    expect(entries.flatMap((entry) => entry.split('\n').slice(-1))).toEqual(
      expect.arrayContaining(['#PORT=8000', '#LIST=', '#ENDPOINT=']),
    )
  })

  it('require a description of each setting', () => {
    expect(() => describeSettings(z.object({ NEW: z.string() }))).toThrow(/NEW has no description/)
  })
})

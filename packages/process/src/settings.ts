import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { z } from 'zod'
import { installationFolder } from './installation.ts'
import { StartupError } from './startup.ts'

export type Environment = Record<string, string | undefined>

/**
 * Reads the settings of `schema` from the environment variables of the same names. `NAME_FILE=/path` reads the setting NAME from a file, without
 * the newline at its end. An empty value counts as not set.
 *
 * @throws {StartupError} with one line for each invalid setting. It never contains values, because some are secrets.
 */
export function readSettings<Schema extends z.ZodObject>(schema: Schema, env: Environment): z.infer<Schema> {
  const { given, wrong } = readValues(Object.keys(schema.shape), env)
  const parsed = schema.safeParse(given)
  if (parsed.success && wrong.size === 0) return parsed.data

  for (const issue of parsed.error?.issues ?? []) {
    const name = issue.path.length > 0 ? String(issue.path[0]) : ''
    if (!wrong.has(name)) wrong.set(name, describeIssue(name, issue, name in given))
  }
  throw new StartupError([...wrong.values()].map(asSentence).join('\n'))
}

/**
 * Returns `env` with the variables of `<root>/.env` and, for a release folder, of the `.env` next to it, if these files exist. Variables of `env` take
 * precedence, then those of the first file.
 */
export function loadEnvFile(root: string, env: Environment): Environment {
  const folders = new Set([root, installationFolder(root)])
  return [...folders].reduce((known, folder) => withEnvFile(join(folder, '.env'), known), { ...env })
}

function withEnvFile(path: string, env: Environment): Environment {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return env
    throw new StartupError(`The settings in ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`, {
      cause: error,
    })
  }
  return { ...parseEnv(text), ...env }
}

function readValues(names: readonly string[], env: Environment) {
  const given: Record<string, string> = {}
  const wrong = new Map<string, string>()
  for (const name of names) {
    const value = env[name] || undefined
    const path = names.includes(`${name}_FILE`) ? undefined : env[`${name}_FILE`] || undefined
    if (value !== undefined && path !== undefined) {
      wrong.set(name, `${name} is set twice, as ${name} and as ${name}_FILE`)
    } else if (value !== undefined) {
      given[name] = value
    } else if (path !== undefined) {
      const { text, error } = readSecretFile(path)
      if (text) given[name] = text
      else wrong.set(name, `${name}: the file ${path} of ${name}_FILE ${error ?? 'is empty'}`)
    }
  }
  return { given, wrong }
}

function readSecretFile(path: string): { text?: string; error?: string } {
  try {
    return { text: readFileSync(path, 'utf8').replace(/\r?\n$/, '') }
  } catch (error) {
    return { error: `cannot be read (${(error as NodeJS.ErrnoException).code})` }
  }
}

function describeIssue(name: string, issue: z.core.$ZodIssue, isGiven: boolean): string {
  if (name === '') return issue.message
  if (issue.code === 'invalid_type' && !isGiven) return `${name} is not set`
  if (issue.code === 'invalid_type') return `${name} is not a ${issue.expected}`
  return `${name}: ${issue.message}`
}

function asSentence(line: string): string {
  return /[.!?]$/.test(line) ? line : `${line}.`
}

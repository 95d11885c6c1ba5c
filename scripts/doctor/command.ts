import { parseArgs } from 'node:util'
import { authoritiesTooLate } from './certificate-authorities.ts'
import { environmentsFrom } from './environments.ts'
import { examine } from './examine.ts'
import { loadEnvFile, repositoryRoot, StartupError } from './parts.ts'
import { AREAS, asJson, asText, exitCodeOf, type Area } from './report.ts'
import product from '../../package.json' with { type: 'json' }

/** @returns the exit code. @throws {StartupError} when the command is wrong. */
export async function run(args: string[]): Promise<number> {
  const { values } = parse(args)
  const base = loadEnvFile(repositoryRoot, process.env)
  const environments = environmentsFrom(base, {
    gatewayFile: values['gateway-env'],
    webFile: values['web-env'],
    process: values.process,
  })
  if (values.live) return (await import('./live.ts')).live(environments, { json: values.json })
  const findings = [
    ...authoritiesTooLate(base, process.env),
    ...(await examine(environments, {
      areas: areasFrom(values.only),
      gateways: countFrom('gateways', values.gateways),
      webs: countFrom('webs', values.webs),
    })),
  ]
  process.stdout.write(values.json ? asJson(findings, product.version) : asText(findings))
  return exitCodeOf(findings)
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        json: { type: 'boolean', default: false },
        live: { type: 'boolean', default: false },
        only: { type: 'string' },
        process: { type: 'string' },
        'gateway-env': { type: 'string' },
        'web-env': { type: 'string' },
        gateways: { type: 'string' },
        webs: { type: 'string' },
      },
    })
  } catch (cause) {
    throw new StartupError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function areasFrom(list: string | undefined): Area[] | undefined {
  if (list === undefined) return undefined
  return list.split(',').map((name) => {
    const area = AREAS.find((known) => known === name.trim())
    if (!area) throw new StartupError(`Unknown area "${name.trim()}". Areas: ${AREAS.join(', ')}.`)
    return area
  })
}

function countFrom(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new StartupError(`--${name} is a number from 1 to 9999.`)
  return Number(text)
}

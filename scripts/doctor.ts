/**
 * Examines an installation and names the line to change for everything that is wrong:
 *
 *     npm run doctor                                       both processes, with the settings that npm start would give them
 *     npm run doctor -- --gateway-env g.env --web-env w.env   both or one of them, each with the settings of its file
 *     npm run doctor -- --process gateway                  the gateway alone, with the settings of the environment
 *     npm run doctor -- --only database,proxy              some areas
 *     npm run doctor -- --gateways 4 --webs 2              as if so many processes ran
 *     npm run doctor -- --json                             for programs
 *     npm run doctor -- --live                             a consent of its own at Notion, and what Notion does (docs/doctor.md)
 *
 * Exits with 1 when something is broken, with 2 when the command is wrong.
 */
import { parseArgs } from 'node:util'
import { authoritiesTooLate } from './doctor/certificate-authorities.ts'
import { environmentsFrom } from './doctor/environments.ts'
import { examine } from './doctor/examine.ts'
import { loadEnvFile, repositoryRoot, StartupError } from './doctor/parts.ts'
import { AREAS, asJson, asText, exitCodeOf, type Area } from './doctor/report.ts'
import product from '../package.json' with { type: 'json' }

async function run(args: string[]): Promise<number> {
  const { values } = parse(args)
  const base = loadEnvFile(repositoryRoot, process.env)
  const environments = environmentsFrom(base, {
    gatewayFile: values['gateway-env'],
    webFile: values['web-env'],
    process: values.process,
  })
  if (values.live) return (await import('./doctor/live.ts')).live(environments, { json: values.json })
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
    if (!area) throw new StartupError(`There is no area "${name.trim()}". Areas: ${AREAS.join(', ')}.`)
    return area
  })
}

function countFrom(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new StartupError(`--${name} is a number from 1 to 9999.`)
  return Number(text)
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof StartupError)) throw error
  process.stderr.write(`doctor: ${error.message}\n`)
  process.exitCode = 2
}

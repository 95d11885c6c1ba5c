/**
 * Examines an installation and names the line to change for each fault:
 *
 *     npm run doctor                                       both processes, with the settings that npm start would give them
 *     npm run doctor -- --gateway-env g.env --web-env w.env   both or one of them, each with the settings of its file
 *     npm run doctor -- --process gateway                  the gateway alone, with the settings of the environment
 *     npm run doctor -- --only database,proxy              some areas
 *     npm run doctor -- --gateways 4 --webs 2              for this number of processes
 *     npm run doctor -- --json                             for programs
 *     npm run doctor -- --live                             a separate consent at Notion, and Notion's behavior (docs/doctor.md)
 *
 * Exits with 1 if there is an error, with 2 if the command is wrong.
 */
try {
  const { run } = await import('./doctor/command.ts')
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`doctor: ${reasonOf(error)}\n`)
  process.exitCode = 2
}

/** @throws errors other than a wrong command. */
function reasonOf(error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException
  if (code === 'ERR_MODULE_NOT_FOUND')
    return 'The code of one process is missing here, as in an image. In the gateway’s image use --process gateway; for the web app, use a release folder or a checkout.'
  if (name === 'StartupError') return message
  throw error
}

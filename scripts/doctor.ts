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
try {
  const { run } = await import('./doctor/command.ts')
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`doctor: ${reasonOf(error)}\n`)
  process.exitCode = 2
}

/** @throws what is no mistake of the person who ran the command. */
function reasonOf(error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException
  if (code === 'ERR_MODULE_NOT_FOUND')
    return 'The code of one process is missing here, as in an image. In the gateway’s image use --process gateway; for the web app, use a release folder or a checkout.'
  if (name === 'StartupError') return message
  throw error
}

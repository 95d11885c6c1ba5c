// Preloaded, with --import, in development: the log of a crash leaves out the error's message, which may hold secrets.
process.on('uncaughtExceptionMonitor', (error) => console.error(error))

// Preloaded with --import in development: the log of a crash omits the error's message, which may contain secrets.
process.on('uncaughtExceptionMonitor', (error) => console.error(error))

// The health check of both images: `node deploy/healthcheck.mjs <path>` exits with 0 if the process in this container responds to the
// path with 2xx, else with 1 and the reason on standard error. Images have no curl.
const [path = '/healthz'] = process.argv.slice(2)
// Shorter than the time-out of the health checks that run this, so that the reason is logged.
const DEADLINE_MS = 4_000

try {
  const response = await fetch(`http://127.0.0.1:${process.env.PORT}${path}`, {
    signal: AbortSignal.timeout(DEADLINE_MS),
  })
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
} catch (error) {
  console.error(`${path}: ${error.cause?.code ?? error.message}`)
  process.exitCode = 1
}

/** The client that the conformance suite starts: forwards the scenario to the test, whose gateway performs it. */
const [testUrl, url] = process.argv.slice(2)
const { MCP_CONFORMANCE_PROTOCOL_VERSION: revision, MCP_CONFORMANCE_CONTEXT: context = '{}' } = process.env
const scenario = JSON.stringify({ url, revision, context: JSON.parse(context) })
// On a time-out the suite kills only the parent shell, so the request has a time-out of its own.
const response = await fetch(`${testUrl}/?${new URLSearchParams({ scenario })}`, {
  signal: AbortSignal.timeout(38_000),
})
if (!response.ok) process.exitCode = 1

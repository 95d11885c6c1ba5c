/** What the conformance suite starts as its client: hands the assignment on to the test, whose gateway carries it out. */
const [desk, url] = process.argv.slice(2)
const { MCP_CONFORMANCE_PROTOCOL_VERSION: revision, MCP_CONFORMANCE_CONTEXT: context = '{}' } = process.env
const assignment = JSON.stringify({ url, revision, context: JSON.parse(context) })
// On a time-out, the suite ends only the shell around this.
const answer = await fetch(`${desk}/?${new URLSearchParams({ assignment })}`, { signal: AbortSignal.timeout(38_000) })
if (!answer.ok) process.exitCode = 1

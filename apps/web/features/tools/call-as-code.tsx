'use client'

import { useState } from 'react'
import { Button } from '@/components/ui/button.tsx'

interface CallAsCodeProps {
  /** The space's MCP endpoint, for clients with a key of their own. */
  readonly endpoint: string
  readonly tool: string
  readonly args: Record<string, unknown>
}

/** The last call as a curl command and as code. Both read the user's key from the environment. */
export function CallAsCode(props: CallAsCodeProps) {
  return (
    <div className="flex flex-wrap gap-2">
      <CopyText label="Copy as curl" text={asCurl(props)} />
      <CopyText label="Copy as code" text={asCode(props)} />
    </div>
  )
}

function CopyText({ label, text }: { label: string; text: string }) {
  const [isCopied, setCopied] = useState(false)
  return (
    <Button
      look="secondary"
      size="small"
      onClick={async () => {
        await navigator.clipboard.writeText(text)
        setCopied(true)
        setTimeout(() => setCopied(false), 1_500)
      }}
    >
      {isCopied ? 'Copied' : label}
    </Button>
  )
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

const asCurl = ({ endpoint, tool, args }: CallAsCodeProps) => `# NOTION_MCP_KEY: a key of your own for this space
curl -s ${quoted(endpoint)} \\
  -H "Authorization: Bearer $NOTION_MCP_KEY" \\
  -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' -H 'MCP-Protocol-Version: 2025-06-18' \\
  -d ${quoted(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: args } }))}
`

const asCode = ({
  endpoint,
  tool,
  args,
}: CallAsCodeProps) => `import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

// NOTION_MCP_KEY: a key of your own for this space
const client = new Client({ name: 'my-program', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } })
await client.connect(
  new StreamableHTTPClientTransport(new URL(${JSON.stringify(endpoint)}), {
    requestInit: { headers: { Authorization: \`Bearer \${process.env.NOTION_MCP_KEY}\` } },
  }),
)
const result = await client.callTool({ name: ${JSON.stringify(tool)}, arguments: ${JSON.stringify(args, null, 2)} })
console.log(result)
await client.close()
`

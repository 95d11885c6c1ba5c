/** Setup steps for each client, as its vendor documents them. */

export interface Step {
  readonly text: string
  /** Code to copy. */
  readonly code?: string
}

/** Values inserted into the recipes. */
export interface Endpoint {
  readonly url: string
  /** Name of the server in the client's configuration. */
  readonly name: string
  /** A key, or its placeholder. */
  readonly key: string
}

export interface Recipe {
  readonly id: string
  readonly client: string
  readonly login: (endpoint: Endpoint) => readonly Step[]
  readonly key: (endpoint: Endpoint) => readonly Step[]
}

export const KEY_PLACEHOLDER = 'nmg_YOUR_KEY'

/** Environment variable that contains the key. */
const KEY_VARIABLE = 'NOTION_GATEWAY_KEY'

const json = (value: unknown) => JSON.stringify(value, undefined, 2)
const inQuotes = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

/** For clients that only support stdio servers. mcp-remote needs a flag for plain http to another host. */
const throughMcpRemote = (url: string, ...more: string[]) => ({
  command: 'npx',
  args: ['-y', 'mcp-remote', url, ...(/^http:\/\/(?!localhost[:/]|127\.)/.test(url) ? ['--allow-http'] : []), ...more],
})

/** Windows drops a space in the header argument, so the value comes from the environment. */
const withKey = (url: string, key: string) => ({
  ...throughMcpRemote(url, '--header', 'Authorization:${AUTHORIZATION}'),
  env: { AUTHORIZATION: `Bearer ${key}` },
})

export const recipes: readonly Recipe[] = [
  {
    id: 'claude-code',
    client: 'Claude Code',
    login: ({ url, name }) => [
      { text: 'In a terminal:', code: `claude mcp add --scope user --transport http ${name} ${url}` },
      { text: 'Log in. Your browser opens:', code: `claude mcp login ${name}` },
      { text: `If your version doesn’t have “mcp login”, start Claude Code, enter /mcp and choose ${name}.` },
    ],
    key: ({ url, name, key }) => [
      {
        text: 'In a terminal:',
        code: `claude mcp add --scope user --transport http ${name} ${url} --header "Authorization: Bearer ${key}"`,
      },
      { text: 'If it’s already set up, remove it first:', code: `claude mcp remove --scope user ${name}` },
    ],
  },
  {
    id: 'claude-desktop',
    client: 'Claude Desktop',
    login: ({ url, name }) => [
      {
        text: 'In Settings → Developer → Edit Config, add this to claude_desktop_config.json (Node.js must be installed):',
        code: json({ mcpServers: { [name]: throughMcpRemote(url) } }),
      },
      {
        text: 'Restart Claude Desktop. Your browser opens to log in. On that page, and in your list of clients, it’s called “MCP CLI Proxy”.',
      },
      ...(url.startsWith('https:')
        ? [
            {
              text: 'If this address can be reached from the internet, you can add a custom connector instead: Settings → Connectors → Add custom connector.',
              code: url,
            },
          ]
        : []),
    ],
    key: ({ url, name, key }) => [
      {
        text: 'In Settings → Developer → Edit Config, add this to claude_desktop_config.json (Node.js must be installed), and restart Claude Desktop:',
        code: json({ mcpServers: { [name]: withKey(url, key) } }),
      },
    ],
  },
  {
    id: 'cursor',
    client: 'Cursor',
    login: ({ url, name }) => [
      {
        text: 'Add this to ~/.cursor/mcp.json, or to .cursor/mcp.json in a project:',
        code: json({ mcpServers: { [name]: { url } } }),
      },
      { text: `In Cursor’s settings, under MCP, connect ${name}. Your browser opens to log in.` },
    ],
    key: ({ url, name, key }) => [
      {
        text: 'Cursor prefers login where a server offers it, so pass the key through mcp-remote (Node.js must be installed). Add this to ~/.cursor/mcp.json:',
        code: json({ mcpServers: { [name]: withKey(url, key) } }),
      },
    ],
  },
  {
    id: 'vs-code',
    client: 'VS Code',
    login: ({ url, name }) => [
      { text: 'In a terminal:', code: `code --add-mcp ${inQuotes(JSON.stringify({ name, type: 'http', url }))}` },
      {
        text: 'Or in .vscode/mcp.json of a project:',
        code: json({ servers: { [name]: { type: 'http', url } } }),
      },
      { text: 'Start the server from the list of MCP servers. VS Code asks you to log in, and your browser opens.' },
    ],
    key: ({ url, name }) => [
      {
        text: 'In .vscode/mcp.json of a project. VS Code asks for the key once and doesn’t store it in the file:',
        code: json({
          inputs: [{ type: 'promptString', id: 'notion-key', description: 'Key for Notion (nmg_…)', password: true }],
          servers: {
            [name]: { type: 'http', url, headers: { Authorization: 'Bearer ${input:notion-key}' } },
          },
        }),
      },
    ],
  },
  {
    id: 'codex',
    client: 'Codex',
    login: ({ url, name }) => [
      { text: 'In a terminal:', code: `codex mcp add ${name} --url ${url}` },
      { text: 'If your browser didn’t open, log in:', code: `codex mcp login ${name}` },
    ],
    key: ({ url, name, key }) => [
      {
        text: 'Codex reads the key from its environment. Set it where you start Codex:',
        code: `export ${KEY_VARIABLE}=${key}`,
      },
      { text: 'Once:', code: `codex mcp add ${name} --url ${url} --bearer-token-env-var ${KEY_VARIABLE}` },
    ],
  },
  {
    id: 'gemini-cli',
    client: 'Gemini CLI',
    login: ({ url, name }) => [
      { text: 'In a terminal:', code: `gemini mcp add --transport http --scope user ${name} ${url}` },
      { text: 'Start Gemini CLI and log in. Your browser opens:', code: `/mcp auth ${name}` },
    ],
    key: ({ url, name, key }) => [
      {
        text: 'In a terminal:',
        code: `gemini mcp add --transport http --header "Authorization: Bearer ${key}" --scope user ${name} ${url}`,
      },
    ],
  },
  {
    id: 'inspector',
    client: 'MCP Inspector',
    login: ({ url }) => [
      {
        text: 'In a terminal, with Node.js 20 or newer. It shows where to log in, then lists the tools:',
        code: `npx @modelcontextprotocol/inspector@latest --cli ${url} --transport http --method tools/list`,
      },
      {
        text: 'To use it in the browser, leave out --cli and everything after it, choose Streamable HTTP, and enter the address:',
        code: url,
      },
    ],
    key: ({ url, key }) => [
      {
        text: 'In a terminal, with Node.js 20 or newer:',
        code: `npx @modelcontextprotocol/inspector@latest --cli ${url} --transport http --method tools/list --header "Authorization: Bearer ${key}"`,
      },
    ],
  },
  {
    id: 'sdk',
    client: 'Your own code',
    login: ({ url }) => [
      {
        text: 'With @modelcontextprotocol/client (npm install @modelcontextprotocol/client). Your OAuthClientProvider opens the browser and stores the tokens; the client discovers everything else:',
        code: `import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client'

const newTransport = () => new StreamableHTTPClientTransport(new URL('${url}'), { authProvider })
const client = new Client({ name: 'my-program', version: '1.0.0' })
const first = newTransport()
try {
  await client.connect(first)
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error
  // The person has answered: this is the query that came to your redirect address.
  await first.finishAuth(new URLSearchParams(queryOfTheRedirect))
  await client.connect(newTransport())
}
const { tools } = await client.listTools()
console.log(tools.map(({ name }) => name))`,
      },
      { text: 'For programs that run unattended, use a key.' },
    ],
    key: ({ url, key }) => [
      { text: 'Put the key in the environment, not in the code:', code: `export ${KEY_VARIABLE}=${key}` },
      {
        text: 'With @modelcontextprotocol/client (npm install @modelcontextprotocol/client):',
        code: `import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

const client = new Client({ name: 'my-program', version: '1.0.0' })
await client.connect(
  new StreamableHTTPClientTransport(new URL('${url}'), {
    requestInit: { headers: { authorization: \`Bearer \${process.env.${KEY_VARIABLE}}\` } },
  }),
)
const { tools } = await client.listTools()
console.log(tools.map(({ name }) => name))`,
      },
    ],
  },
]

/** Server name derived from the space name, in characters that every client accepts. */
export function serverName(spaceName: string): string {
  const words = spaceName
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[\u0300-\u036f'’]/g, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 30)
    .replace(/-+$/, '')
  return words === '' || words === 'notion' ? 'notion' : `notion-${words}`
}

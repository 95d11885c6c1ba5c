import { randomString } from '../secrets.ts'
import type { Account } from '../workspace/workspace.ts'
import type { AuthorizationRequest } from './authorization-request.ts'

const STYLE = `
:root { color-scheme: light dark; --ink: #1f1f1d; --soft: #65645f; --line: #e3e2de; --paper: #fff; --back: #f7f6f3; --act: #1f6feb; --warn: #fbf3db; --warn-ink: #6b4e00 }
@media (prefers-color-scheme: dark) { :root { --ink: #ececea; --soft: #a3a29d; --line: #3a3a38; --paper: #252524; --back: #191918; --act: #4c8dff; --warn: #3b321a; --warn-ink: #f0d890 } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
main { width: min(100%, 30rem); background: var(--paper); border: 1px solid var(--line); border-radius: 14px; overflow: hidden; box-shadow: 0 8px 30px rgb(0 0 0 / .06) }
.notice { margin: 0; padding: 10px 28px; background: var(--warn); color: var(--warn-ink); font-size: .875rem }
.inside { padding: 24px 28px 28px }
h1 { margin: 0 0 6px; font-size: 1.375rem; line-height: 1.3 }
p { margin: 0 0 16px; color: var(--soft) }
fieldset { border: 0; margin: 0 0 20px; padding: 0 }
legend { padding: 0; margin-bottom: 8px; font-weight: 600 }
label { display: flex; gap: 12px; align-items: center; padding: 10px 14px; border: 1px solid var(--line); border-radius: 10px; margin-bottom: 8px; cursor: pointer }
label:has(:checked) { border-color: var(--act); outline: 1px solid var(--act) }
label:has(:focus-visible) { outline: 3px solid var(--act) }
input { accent-color: var(--act); width: 1.1rem; height: 1.1rem; margin: 0 }
.icon { width: 2.25rem; height: 2.25rem; display: grid; place-items: center; border-radius: 8px; border: 1px solid var(--line); background: var(--back); font-weight: 600 }
.who { display: grid }
.who small, ul { color: var(--soft); font-size: .875rem }
ul { margin: 0 0 20px; padding-left: 1.2rem }
.buttons { display: flex; gap: 12px }
button { flex: 1; padding: 11px 16px; border-radius: 10px; border: 1px solid var(--line); background: transparent; color: inherit; font: inherit; font-weight: 600; cursor: pointer }
button:focus-visible { outline: 3px solid var(--act); outline-offset: 2px }
button.allow { background: #1f5fd0; border-color: #1f5fd0; color: #fff }
code { overflow-wrap: anywhere; font-size: .875rem }
`

const escape = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

/** The consent page. Its form works without scripts. */
export function consentPage(request: AuthorizationRequest, choices: readonly Account[], url: string): Response {
  const client = escape(request.client.name || request.client.id)
  const host = new URL(request.redirectUri).host || new URL(request.redirectUri).protocol
  const hidden = [...request.parameters]
    .map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`)
    .join('\n')
  const options = choices
    .map(
      ({ user, workspace }, index) => `<label>
<input type="radio" name="account" value="${user.id}/${workspace.id}"${index === 0 ? ' checked' : ''}>
<span class="icon" aria-hidden="true">${escape(workspace.name.slice(0, 1))}</span>
<span class="who">${escape(user.name)} in ${escape(workspace.name)}<small>${escape(user.email)}</small></span>
</label>`,
    )
    .join('\n')
  return page(
    200,
    `Connect ${client}`,
    `<h1>Connect <strong>${client}</strong> to Notion?</h1>
<p>It asks to read and change what you can see in one workspace.</p>
<form method="post" action="${escape(url)}/authorize">
${hidden}
<fieldset>
<legend>Continue as</legend>
${options}
</fieldset>
<ul>
<li>Search, read, create and edit pages and databases as you</li>
<li>After your answer the browser goes back to <code>${escape(host)}</code></li>
</ul>
<div class="buttons">
<button name="decision" value="deny">Deny</button>
<button name="decision" value="allow" class="allow">Allow</button>
</div>
</form>`,
  )
}

/** The page for an error that cannot be redirected to the client. */
export function errorPage(reason: string): Response {
  return page(400, 'Invalid authorization request', `<h1>Invalid authorization request</h1>\n<p>${escape(reason)}</p>`)
}

/** The page at the root of the simulator. */
export function frontPage(url: string, profile: string): Response {
  return page(
    200,
    'Welcome',
    `<h1>Notion simulator</h1>
<p>A stand-in for Notion's hosted MCP server, profile <code>${escape(profile)}</code>. Give this address to an MCP client:</p>
<p><code>${escape(url)}/mcp</code></p>`,
  )
}

function page(status: number, title: string, inside: string): Response {
  const nonce = randomString(22)
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Notion simulator</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<main>
<p class="notice" role="note"><strong>Simulation.</strong> This is not Notion, and nothing here is real.</p>
<div class="inside">
${inside}
</div>
</main>
</body>
</html>
`
  return new Response(html, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      // No form-action: Chromium also applies it to the following redirects, which go to the client's URIs.
      'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; base-uri 'none'; frame-ancestors 'none'`,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    },
  })
}

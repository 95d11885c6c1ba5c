import { AuthorizationError } from '@nmg/contract'

/** Reason and advice for each error code of the gateway's callback. A missing code does not compile. */
const authorizationErrors = {
  access_denied: {
    title: 'Access was declined',
    advice: 'Nothing was connected. Try again and choose “Allow” in Notion.',
  },
  invalid_scope: {
    title: 'Notion didn’t grant the requested access',
    advice:
      'Some of the requested access isn’t available. Try again; the app then requests less access. If it keeps happening, ask your administrator to check NOTION_MCP_TOKEN_SCOPE.',
  },
  temporarily_unavailable: {
    title: 'Notion is busy',
    advice: 'Notion can’t respond right now. Wait a minute and try again.',
  },
  server_error: {
    title: 'Notion had a problem',
    advice: 'Something went wrong on Notion’s end. Try again. If it keeps happening, check status.notion.com.',
  },
  authorization_refused: {
    title: 'Notion refused the request',
    advice:
      'Notion didn’t accept the authorization request. Try again. If it keeps happening, ask your administrator to check the app’s registration.',
  },
  unknown_state: {
    title: 'This attempt has expired',
    advice: 'It took too long, or it was already completed. Start again and finish within ten minutes.',
  },
  wrong_browser: {
    title: 'Finished in another browser',
    advice:
      'For your security, you must finish in the browser where you started. Start again here and allow access in this browser.',
  },
  wrong_issuer: {
    title: 'Response from an unexpected server',
    advice:
      'The response didn’t come from Notion’s authorization server, so nothing was connected. Start again. If it keeps happening, contact your administrator.',
  },
  missing_code: {
    title: 'Notion’s response was incomplete',
    advice: 'The response had no authorization code, so nothing was connected. Start again.',
  },
  exchange_refused: {
    title: 'Notion didn’t complete the connection',
    advice:
      'You allowed access, but Notion then refused to issue it. Start again. If it keeps happening, contact your administrator.',
  },
  client_rejected: {
    title: 'Notion rejects this app’s credentials',
    advice:
      'Nothing was connected. Ask your administrator to check NOTION_MCP_CLIENT_ID and NOTION_MCP_CLIENT_SECRET, then try again.',
  },
  authorization_unavailable: {
    title: 'Can’t reach Notion',
    advice: 'Couldn’t complete the connection because Notion didn’t respond. Wait a minute and start again.',
  },
  store_unavailable: {
    title: 'The gateway’s storage isn’t responding',
    advice:
      'Couldn’t complete the connection. Wait a minute and start again. If it keeps happening, contact your administrator.',
  },
  internal: {
    title: 'Something went wrong on our end',
    advice: 'Nothing was connected. Try again. If it keeps happening, contact your administrator.',
  },
} as const satisfies Record<AuthorizationError, { title: string; advice: string }>

/** The text for `error` in the callback's query. Unknown codes, which anyone can type, count as a refusal. */
export function authorizationProblem(code: string | undefined): { title: string; advice: string } {
  const known = AuthorizationError.safeParse(code)
  return authorizationErrors[known.success ? known.data : 'authorization_refused']
}

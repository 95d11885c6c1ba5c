import { AuthorizationError } from '@nmg/contract'

/** Why connecting did not work, and what to do. A code of the gateway that is missing here does not compile. */
const authorizationErrors = {
  access_denied: {
    title: 'Access was not allowed',
    advice:
      'Notion reports that access was declined, so nothing was connected. Try again and choose “Allow” to connect.',
  },
  invalid_scope: {
    title: 'Notion does not grant what was asked for',
    advice:
      'Something of the access that this app asked for is not available. Try again: it asks for less then. If it happens again, ask the operator to check NOTION_MCP_TOKEN_SCOPE.',
  },
  temporarily_unavailable: {
    title: 'Notion is busy',
    advice: 'Notion cannot answer right now. Wait a minute and try again.',
  },
  server_error: {
    title: 'Notion had a problem',
    advice: 'Something went wrong on Notion’s side. Try again; if it happens again, look at status.notion.com.',
  },
  authorization_refused: {
    title: 'Notion refused the request',
    advice:
      'Notion did not accept the request for access. Try again; if it happens again, ask the operator to check the app’s registration.',
  },
  unknown_state: {
    title: 'This attempt is over',
    advice: 'It took too long, or this answer was used already. Start again and finish within ten minutes.',
  },
  wrong_browser: {
    title: 'Finished in another browser',
    advice:
      'For your safety, connecting has to end in the browser in which it began. Start again here, and allow access in this same browser.',
  },
  wrong_issuer: {
    title: 'The answer came from somebody else',
    advice:
      'The answer did not come from the server that was asked, so nothing was connected. Start again; if it happens again, tell the operator.',
  },
  missing_code: {
    title: 'Notion’s answer was incomplete',
    advice: 'The answer did not carry what is needed to finish. Start again.',
  },
  exchange_refused: {
    title: 'Notion did not complete the connection',
    advice:
      'Access was allowed, but Notion then refused to hand it out. Start again; if it happens again, tell the operator.',
  },
  client_rejected: {
    title: 'Notion rejects this app’s credentials',
    advice:
      'Nothing was connected. Ask the operator to check NOTION_MCP_CLIENT_ID and NOTION_MCP_CLIENT_SECRET, and try again after that.',
  },
  authorization_unavailable: {
    title: 'Notion cannot be reached',
    advice: 'The connection could not be completed because Notion did not answer. Wait a minute and start again.',
  },
  store_unavailable: {
    title: 'The gateway’s storage does not respond',
    advice:
      'The connection could not be completed. Wait a minute and start again; if it happens again, tell the operator.',
  },
  internal: {
    title: 'Something went wrong here',
    advice:
      'The fault is ours, and nothing was connected. Try again; the operator finds the cause in the gateway’s log.',
  },
} as const satisfies Record<AuthorizationError, { title: string; advice: string }>

/** What to tell about `error` of the callback. The address bar can hold anything, so an unknown code is told as a refusal. */
export function authorizationProblem(code: string | undefined): { title: string; advice: string } {
  const known = AuthorizationError.safeParse(code)
  return authorizationErrors[known.success ? known.data : 'authorization_refused']
}

import { hashSecret, randomString, type IssuedSecrets } from '../secrets.ts'

/** The user and workspace of a personal access token. */
export type TokenOwner = { userId: string; workspaceId: string }

/** Personal access tokens (`ntn_…`): accepted at the MCP endpoint without OAuth, without expiry. */
export type PersonalAccessTokens = {
  issue(owner: TokenOwner): string
  find(token: string): TokenOwner | undefined
  clear(): void
}

export function personalAccessTokens(issuedSecrets: IssuedSecrets): PersonalAccessTokens {
  const owners = new Map<string, TokenOwner>()
  return {
    issue(owner) {
      const token = issuedSecrets.add({ kind: 'personal_access_token', value: `ntn_${randomString(46)}` })
      owners.set(hashSecret(token), owner)
      return token
    },
    find: (token) => owners.get(hashSecret(token)),
    clear: () => owners.clear(),
  }
}

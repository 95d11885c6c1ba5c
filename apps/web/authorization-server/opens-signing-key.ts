import { symmetricDecrypt } from 'better-auth/crypto'

/** Whether one of the secrets opens a key of the authorization server, as `web.oauth_key` has it in `sealed`. */
export async function opensSigningKey(sealed: string, secrets: readonly string[]): Promise<boolean> {
  for (const secret of secrets) {
    const opened = await symmetricDecrypt({ key: secret, data: sealed }).catch(() => undefined)
    if (opened !== undefined) return true
  }
  return false
}

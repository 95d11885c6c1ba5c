import { PreviousConsent, type DisconnectReceipt } from '@nmg/contract'

/** Page in Notion where users revoke a consent. */
const NOTION_SETTINGS = 'Settings → Connections'

/** Text about earlier consents that may still be valid (`unrevokedConsents`). */
export function earlierConsentsText(count: number): string {
  return count === 1
    ? `One earlier consent of this space may still be valid. End it in Notion under ${NOTION_SETTINGS}.`
    : `${count} earlier consents of this space may still be valid. End them in Notion under ${NOTION_SETTINGS}.`
}

/** Text about the replaced consent; undefined if nothing needs to be done. */
const previousConsentTexts = {
  revoked: undefined,
  failed: `Notion did not confirm that the previous consent has ended, so it may still be valid. End it in Notion under ${NOTION_SETTINGS}.`,
  not_supported: `Notion offers no way to end the previous consent from here, so it is still valid. End it in Notion under ${NOTION_SETTINGS}.`,
  kept: `The previous consent is still valid: Notion may treat both as one, so ending it from here could end the new one as well. You can end it in Notion under ${NOTION_SETTINGS}; reconnect if that disconnects this space.`,
} as const satisfies Record<PreviousConsent, string | undefined>

/** The text for `previousConsent` in the callback's query, which can be any text. */
export function previousConsentText(value: string | undefined): string | undefined {
  const known = PreviousConsent.safeParse(value)
  return known.success ? previousConsentTexts[known.data] : undefined
}

const revocationTexts = {
  revoked: undefined,
  nothing_to_revoke: undefined,
  failed: `Disconnected, and the stored credential is destroyed. Notion did not confirm that it ended the access; to be sure, remove the app in Notion under ${NOTION_SETTINGS}.`,
  not_supported: `Disconnected, and the stored credential is destroyed. Notion offers no way to end the access from here; remove the app in Notion under ${NOTION_SETTINGS}.`,
} as const satisfies Record<DisconnectReceipt['revocation'], string | undefined>

/** Notice after disconnecting; undefined if all access was revoked. */
export function disconnectNotice({ revocation, unrevokedConsents }: DisconnectReceipt): string | undefined {
  const sentences = [
    revocationTexts[revocation],
    unrevokedConsents === undefined ? undefined : earlierConsentsText(unrevokedConsents),
  ].filter((sentence) => sentence !== undefined)
  return sentences.length > 0 ? sentences.join(' ') : undefined
}

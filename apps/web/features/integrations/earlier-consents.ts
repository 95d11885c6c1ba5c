import { PreviousConsent, type DisconnectReceipt } from '@nmg/contract'

/** Where a user ends a consent in Notion. */
const NOTION_SETTINGS = 'Settings → Connections'

/** What to say about earlier consents of a space that may still be valid (`unrevokedConsents`). */
export function earlierConsentsText(count: number): string {
  return count === 1
    ? `One earlier consent of this space may still be valid. End it in Notion under ${NOTION_SETTINGS}.`
    : `${count} earlier consents of this space may still be valid. End them in Notion under ${NOTION_SETTINGS}.`
}

/** What became of the consent that a new one replaced; undefined when there is nothing to do. */
const previousConsentTexts = {
  revoked: undefined,
  failed: `Notion did not confirm that the previous consent has ended, so it may still be valid. End it in Notion under ${NOTION_SETTINGS}.`,
  not_supported: `Notion offers no way to end the previous consent from here, so it is still valid. End it in Notion under ${NOTION_SETTINGS}.`,
  kept: `The previous consent is still valid: Notion may treat both as one, so ending it from here could end the new one as well. You can end it in Notion under ${NOTION_SETTINGS}; reconnect if that disconnects this space.`,
} as const satisfies Record<PreviousConsent, string | undefined>

/** The text for `previousConsent` of the callback page; its address can hold anything. */
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

/** What a user should know after disconnecting; undefined when everything has ended. */
export function disconnectNotice({ revocation, unrevokedConsents }: DisconnectReceipt): string | undefined {
  const sentences = [
    revocationTexts[revocation],
    unrevokedConsents === undefined ? undefined : earlierConsentsText(unrevokedConsents),
  ].filter((sentence) => sentence !== undefined)
  return sentences.length > 0 ? sentences.join(' ') : undefined
}

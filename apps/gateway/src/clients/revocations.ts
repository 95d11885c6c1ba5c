import type { ClientAccess } from './access.ts'

/** Revocation of a user's access to a space: all of it, or that of one client or one grant. */
export interface UserRevocation {
  readonly spaceId: string
  readonly userId: string
  readonly clientId: string | undefined
  readonly grantId: string | undefined
}

/** Access that was revoked: that of a deleted access key, or of a user. */
export type AccessRevocation = { readonly keyId: string } | UserRevocation

/** Stored revocations. @throws {Failure} `store_unavailable`, from each method. */
export interface RevocationStore {
  /** Stores the revocation durably, then notifies all replicas. Without a client and a grant, also deletes the user's keys for the space. */
  add(revocation: UserRevocation): Promise<void>
  /**
   * Finds revocations that concern tokens of this user, client and grant.
   *
   * @returns for each space concerned, the time up to which tokens are revoked: it applies to tokens issued at or before `at`.
   */
  find(
    spaceIds: readonly string[],
    userId: string,
    token: { readonly clientId: string; readonly grantId: string | undefined },
  ): Promise<{ spaceId: string; at: Date }[]>
}

/** True if the revocation applies to this access. */
export function isRevokedBy(
  { spaceId, userId, credential }: Pick<ClientAccess, 'spaceId' | 'userId' | 'credential'>,
  revocation: AccessRevocation,
): boolean {
  if ('keyId' in revocation) return credential.kind === 'key' && credential.keyId === revocation.keyId
  if (spaceId !== revocation.spaceId || userId !== revocation.userId) return false
  const { clientId, grantId } = revocation
  if (clientId === undefined && grantId === undefined) return true
  if (credential.kind === 'key') return false
  const isOfClient = clientId === undefined || credential.clientId === clientId
  if (grantId === undefined) return isOfClient
  // A token without a grant ID may belong to any grant of its client.
  return credential.grantId === undefined ? clientId !== undefined && isOfClient : credential.grantId === grantId
}

/** The strongest first. */
export const roles = ['owner', 'admin', 'member'] as const
export type Role = (typeof roles)[number]

/** True if `actor` may change or remove members with the role `target`. Only owners may change owners. */
export const mayManage = (actor: Role, target: Role): boolean =>
  actor === 'owner' || (actor === 'admin' && target !== 'owner')

/** Roles that `actor` may grant: none above their own. */
export const grantable = (actor: Role): readonly Role[] =>
  actor === 'owner' ? roles : actor === 'admin' ? ['admin', 'member'] : []

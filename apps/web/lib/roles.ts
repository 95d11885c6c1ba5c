/** The strongest first. */
export const roles = ['owner', 'admin', 'member'] as const
export type Role = (typeof roles)[number]

/** Whether somebody with the role `actor` may change the role of, or remove, somebody with the role `target`. Nobody but owners touches owners. */
export const mayManage = (actor: Role, target: Role): boolean =>
  actor === 'owner' || (actor === 'admin' && target !== 'owner')

/** Roles that somebody with the role `actor` may give to others: none above their own. */
export const grantable = (actor: Role): readonly Role[] =>
  actor === 'owner' ? roles : actor === 'admin' ? ['admin', 'member'] : []

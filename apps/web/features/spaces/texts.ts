import type { Role } from '@/lib/roles.ts'

/** Texts of spaces: members, invitations, settings. */
export const texts = {
  members: {
    title: 'Members',
    lead: 'Everyone here works in the same Notion. Owners and admins manage members and the connection.',
    leadForMember: 'Everyone here works in the same Notion. To change members, ask an owner or admin.',
    count: (count: number) => (count === 1 ? '1 member' : `${count} members`),
    role: (name: string) => `Role of ${name}`,
    remove: 'Remove',
    removeLabel: (name: string) => `Remove ${name}`,
    removeTitle: (name: string | undefined) => `Remove ${name}?`,
    removeConsequence:
      'They and their MCP clients lose access to this space and its Notion immediately. You can invite them again at any time.',
  },
  invite: {
    title: 'Invite someone',
    emailLabel: 'Email (optional)',
    emailHint:
      'Only an account with this address can use the link. Leave it empty to let the first person with the link join.',
    emailHintWithMail: 'The link is emailed here, and only an account with this address can use it.',
    roleLabel: 'Role',
    action: 'Create invitation link',
    emailed: (email: string) => `The link was emailed to ${email}. You can also send it yourself.`,
    send: (email: string) => `Send this link to ${email || 'the person you’re inviting'}.`,
    mailFailed: 'The email couldn’t be sent. Copy the link and send it yourself.',
    link: 'Invitation link',
    again: 'Invite someone else',
  },
  invitations: {
    title: 'Pending invitations',
    anyone: 'Anyone with the link',
    cancel: 'Cancel',
    cancelLabel: (email: string | undefined) => `Cancel the invitation for ${email ?? 'anyone with the link'}`,
  },
  leave: {
    title: 'Leave',
    consequence:
      'You and your MCP clients lose access to this space and its Notion immediately. To come back, you need an invitation.',
    lastOwner: 'You’re the only owner of this space. Transfer ownership before you leave.',
    open: 'Leave space…',
    question: (name: string) => `Leave ${name}?`,
    action: 'Leave',
    return: 'To come back, you need an invitation.',
  },
  transfer: {
    title: 'Transfer ownership',
    lead: 'Make another member the owner of this space. You stay as an admin.',
    nobody: 'Nobody else is here yet; invite someone first.',
    newOwner: 'New owner',
    open: 'Transfer ownership…',
    question: (name: string | undefined) => `Transfer ownership to ${name}?`,
    action: 'Transfer ownership',
    consequence: 'Only an owner can make you an owner again.',
  },
  space: {
    nameLabel: 'Space name',
    nameHint: 'For example, your team’s name.',
    create: 'Create space',
    createTitle: 'Create a space',
    createLead: 'A space has its own members and its own connection to Notion. You’ll be its owner.',
    pageTitle: 'New space',
    back: 'Back to your space',
    renameTitle: 'Name',
    save: 'Save',
    saved: 'Saved.',
    noneTitle: 'You’re not in any space',
    none: 'A space is where a team shares its connection to Notion. Ask someone to invite you, or create your own.',
    own: 'Your spaces',
    new: 'New space…',
  },
  invitation: {
    pageTitle: 'Invitation',
    join: 'Join space',
    open: 'Go to space',
    alreadyMember: 'You’re already a member of this space.',
    once: 'The link works once.',
    createAccount: 'Create an account',
    signIn: 'Sign in',
    invalidTitle: 'This invitation is no longer valid',
    invalid: 'It was used or cancelled, or has expired. Ask the person who invited you for a new link.',
    home: 'Go to your space',
  },
} as const

export const roleNames: Readonly<Record<Role, string>> = { owner: 'Owner', admin: 'Admin', member: 'Member' }

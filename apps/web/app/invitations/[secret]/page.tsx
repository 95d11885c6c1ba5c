import type { Metadata } from 'next'
import Link from 'next/link'
import { buttonStyle } from '@/components/ui/button.tsx'
import { JoinSpace } from '@/features/spaces/join-space.tsx'
import { findInvitation, isFor, type Invitation } from '@/features/spaces/people.ts'
import { memberIn, type Person } from '@/lib/members.ts'
import { visitor } from '@/lib/visitor.ts'
import { SignOutButton } from '@/features/accounts/sign-out-button.tsx'
import { Entrance, linkStyle, withNext } from '@/app/entrance.tsx'

// The same for all, so that the title tells nobody whether a link is good.
export const metadata: Metadata = { title: 'Invitation', referrer: 'no-referrer' }

export default async function InvitationPage({ params }: { params: Promise<{ secret: string }> }) {
  const { secret } = await params
  const [invitation, found] = await Promise.all([findInvitation(secret), visitor()])
  if (!invitation) return <Gone />
  const { spaceId, spaceName, invitedBy } = invitation
  const isMember = found && memberIn(found, spaceId) !== undefined
  return (
    <Entrance
      title={`Join ${spaceName}`}
      lead={`${invitedBy} invites you to this space, ${roleText[invitation.role]}.`}
      footer={isMember ? 'You are a member of this space already.' : 'The link works once.'}
    >
      {isMember ? (
        <Link href={`/spaces/${spaceId}`} className={buttonStyle({ className: 'w-full' })}>
          Go to the space
        </Link>
      ) : (
        <Answer invitation={invitation} secret={secret} person={found?.person} />
      )}
    </Entrance>
  )
}

const roleText = {
  owner: 'as an owner',
  admin: 'as an admin, who manages its members and its connection with Notion',
  member: 'as a member, who works with its Notion',
} as const

/** What the person who looks at it can do. */
function Answer({
  invitation,
  secret,
  person,
}: {
  invitation: Invitation
  secret: string
  person: Person | undefined
}) {
  const next = `/invitations/${secret}`
  const { email } = invitation
  if (!person) {
    return (
      <div className="space-y-3">
        {email && (
          <p className="text-sm text-pretty text-soft">
            It is for <strong className="font-medium break-words text-ink">{email}</strong>, so use an account with this
            address.
          </p>
        )}
        <Link href={withNext('/sign-up', next)} className={buttonStyle({ className: 'w-full' })}>
          Create an account
        </Link>
        <Link href={withNext('/sign-in', next)} className={buttonStyle({ look: 'secondary', className: 'w-full' })}>
          Sign in
        </Link>
      </div>
    )
  }
  if (!isFor(invitation, person)) {
    return (
      <div className="space-y-4">
        <p className="text-sm text-pretty text-soft">
          This invitation is for <strong className="font-medium break-words text-ink">{email}</strong>, and you are
          signed in as <strong className="font-medium break-words text-ink">{person.email}</strong>. Sign out and come
          back with the other account, or ask for an invitation for this one.
        </p>
        <SignOutButton userId={person.id} next={next} />
      </div>
    )
  }
  return (
    <div className="space-y-3">
      <p className="text-sm text-pretty text-soft">
        You join as {person.name} (<span className="break-words">{person.email}</span>).
      </p>
      <JoinSpace secret={secret} />
    </div>
  )
}

const Gone = () => (
  <Entrance
    title="This invitation is not good any more"
    lead="It was used or cancelled, or it is older than a week. Ask the person who invited you for a new link."
    footer={
      <Link href="/" className={linkStyle}>
        Go to your space
      </Link>
    }
  >
    {null}
  </Entrance>
)

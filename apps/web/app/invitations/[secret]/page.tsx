import type { Metadata } from 'next'
import Link from 'next/link'
import { buttonStyle } from '@/components/ui/button.tsx'
import { JoinSpace } from '@/features/spaces/join-space.tsx'
import { findInvitation, isFor, type Invitation } from '@/features/spaces/members.ts'
import { memberIn, type User } from '@/lib/membership.ts'
import { signedInUser } from '@/lib/page-guards.ts'
import { runtime } from '@/lib/runtime.ts'
import { SignOutButton } from '@/features/accounts/sign-out-button.tsx'
import { LandingPage, linkStyle, withNext } from '@/app/landing-page.tsx'
import { texts } from '@/features/spaces/texts.ts'

// Same title for all links, so that it does not reveal which are valid.
export const metadata: Metadata = { title: texts.invitation.pageTitle, referrer: 'no-referrer' }

export default async function InvitationPage({ params }: { params: Promise<{ secret: string }> }) {
  const { secret } = await params
  const [invitation, found] = await Promise.all([findInvitation(runtime(), secret), signedInUser()])
  if (!invitation) return <Gone />
  const { spaceId, spaceName, invitedBy } = invitation
  const isMember = found && memberIn(found, spaceId) !== undefined
  return (
    <LandingPage
      title={`Join ${spaceName}`}
      lead={`${invitedBy} invited you to this space ${roleText[invitation.role]}.`}
      footer={isMember ? texts.invitation.alreadyMember : texts.invitation.once}
    >
      {isMember ? (
        <Link href={`/spaces/${spaceId}`} className={buttonStyle({ className: 'w-full' })}>
          {texts.invitation.open}
        </Link>
      ) : (
        <NextStep invitation={invitation} secret={secret} user={found?.user} />
      )}
    </LandingPage>
  )
}

const roleText = {
  owner: 'as an owner',
  admin: 'as an admin, to manage its members and its connection to Notion',
  member: 'as a member, to work in its Notion',
} as const

/** The next step for the current user. */
function NextStep({ invitation, secret, user }: { invitation: Invitation; secret: string; user: User | undefined }) {
  const next = `/invitations/${secret}`
  const { email } = invitation
  if (!user) {
    return (
      <div className="space-y-3">
        {email && (
          <p className="text-sm text-pretty text-soft">
            It’s for <strong className="font-medium break-words text-ink">{email}</strong>. Use an account with this
            address.
          </p>
        )}
        <Link href={withNext('/sign-up', next)} className={buttonStyle({ className: 'w-full' })}>
          {texts.invitation.createAccount}
        </Link>
        <Link href={withNext('/sign-in', next)} className={buttonStyle({ look: 'secondary', className: 'w-full' })}>
          {texts.invitation.signIn}
        </Link>
      </div>
    )
  }
  if (!isFor(invitation, user)) {
    return (
      <div className="space-y-4">
        <p className="text-sm text-pretty text-soft">
          This invitation is for <strong className="font-medium break-words text-ink">{email}</strong>, but you’re
          signed in as <strong className="font-medium break-words text-ink">{user.email}</strong>. Sign in with the
          other account, or ask for a new invitation.
        </p>
        <SignOutButton userId={user.id} next={next} />
      </div>
    )
  }
  return (
    <div className="space-y-3">
      <p className="text-sm text-pretty text-soft">
        You’re joining as {user.name} (<span className="break-words">{user.email}</span>).
      </p>
      <JoinSpace secret={secret} />
    </div>
  )
}

const Gone = () => (
  <LandingPage
    title={texts.invitation.invalidTitle}
    lead={texts.invitation.invalid}
    footer={
      <Link href="/" className={linkStyle}>
        {texts.invitation.home}
      </Link>
    }
  >
    {null}
  </LandingPage>
)

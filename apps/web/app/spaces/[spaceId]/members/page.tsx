import { InvitationList } from '@/features/spaces/invitation-list.tsx'
import { InviteForm } from '@/features/spaces/invite-form.tsx'
import { MemberList } from '@/features/spaces/member-list.tsx'
import { invitationsOf, membersOf } from '@/features/spaces/members.ts'
import { isManager, requireManager } from '@/lib/membership.ts'
import { runtime } from '@/lib/runtime.ts'
import { memberPageTitle, requireMemberPage } from '@/lib/page-guards.ts'
import { Page } from '@/app/spaces/[spaceId]/page-frame.tsx'
import { texts } from '@/features/spaces/texts.ts'

export const generateMetadata = memberPageTitle(texts.members.title)

export default async function MembersPage({ params }: { params: Promise<{ spaceId: string }> }) {
  const member = await requireMemberPage(params)
  const { space, user } = member
  const canManage = isManager(space.role)
  const [members, invitations] = await Promise.all([
    membersOf(runtime(), member),
    canManage ? invitationsOf(runtime(), requireManager(member)) : [],
  ])
  return (
    <Page title={texts.members.title} lead={canManage ? texts.members.lead : texts.members.leadForMember}>
      <div className="space-y-8">
        {canManage && <InviteForm spaceId={space.id} hasMail={runtime().sendMail !== undefined} />}
        <MemberList spaceId={space.id} members={members} self={{ id: user.id, role: space.role }} />
        {invitations.length > 0 && <InvitationList spaceId={space.id} invitations={invitations} />}
      </div>
    </Page>
  )
}

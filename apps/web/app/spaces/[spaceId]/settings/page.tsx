import { peopleOf } from '@/features/spaces/people.ts'
import { HandOver } from '@/features/spaces/hand-over.tsx'
import { LeaveSpace } from '@/features/spaces/leave-space.tsx'
import { RenameSpace } from '@/features/spaces/rename-space.tsx'
import { isManager } from '@/lib/members.ts'
import { memberPageTitle, requireMemberPage } from '@/lib/visitor.ts'
import { Page } from '@/app/spaces/[spaceId]/page-frame.tsx'

export const generateMetadata = memberPageTitle('Settings')

export default async function SettingsPage({ params }: { params: Promise<{ spaceId: string }> }) {
  const member = await requireMemberPage(params)
  const { space, person } = member
  const people = await peopleOf(member)
  const isLastOwner = space.role === 'owner' && people.filter(({ role }) => role === 'owner').length === 1
  return (
    <Page title="Settings">
      <div className="max-w-2xl space-y-6">
        {isManager(space.role) && <RenameSpace space={space} />}
        {space.role === 'owner' && <HandOver spaceId={space.id} others={people.filter(({ id }) => id !== person.id)} />}
        <LeaveSpace space={space} personId={person.id} isLastOwner={isLastOwner} />
      </div>
    </Page>
  )
}

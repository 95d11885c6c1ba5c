import { membersOf } from '@/features/spaces/members.ts'
import { TransferOwnership } from '@/features/spaces/transfer-ownership.tsx'
import { LeaveSpace } from '@/features/spaces/leave-space.tsx'
import { RenameSpace } from '@/features/spaces/rename-space.tsx'
import { isManager } from '@/lib/membership.ts'
import { memberPageTitle, requireMemberPage } from '@/lib/page-guards.ts'
import { runtime } from '@/lib/runtime.ts'
import { Page } from '@/app/spaces/[spaceId]/page-frame.tsx'

export const generateMetadata = memberPageTitle('Settings')

export default async function SettingsPage({ params }: { params: Promise<{ spaceId: string }> }) {
  const member = await requireMemberPage(params)
  const { space, user } = member
  const people = await membersOf(runtime(), member)
  const isLastOwner = space.role === 'owner' && people.filter(({ role }) => role === 'owner').length === 1
  return (
    <Page title="Settings">
      <div className="max-w-2xl space-y-6">
        {isManager(space.role) && <RenameSpace space={space} />}
        {space.role === 'owner' && (
          <TransferOwnership spaceId={space.id} others={people.filter(({ id }) => id !== user.id)} />
        )}
        <LeaveSpace space={space} userId={user.id} isLastOwner={isLastOwner} />
      </div>
    </Page>
  )
}

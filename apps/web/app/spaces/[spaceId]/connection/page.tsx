import { memberPageTitle, requireMemberPage } from '@/lib/page-guards.ts'
import { Page } from '@/app/spaces/[spaceId]/page-frame.tsx'
import { ConnectionOverview } from './connection-overview.tsx'

export const generateMetadata = memberPageTitle('Connection')

export default async function ConnectionPage({ params }: { params: Promise<{ spaceId: string }> }) {
  const { space } = await requireMemberPage(params)
  return (
    <Page title="Connection" lead="One Notion connection for everyone in this space.">
      <ConnectionOverview spaceId={space.id} />
    </Page>
  )
}

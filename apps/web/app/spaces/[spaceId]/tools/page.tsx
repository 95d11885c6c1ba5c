import { spaceResource } from '@/authorization-server/resources.ts'
import { runtime } from '@/lib/runtime.ts'
import { memberPageTitle, requireMemberPage } from '@/lib/page-guards.ts'
import { Page } from '@/app/spaces/[spaceId]/page-frame.tsx'
import { ConnectedTools } from './connected-tools.tsx'

export const generateMetadata = memberPageTitle('Tools')

export default async function ToolsPage({ params }: { params: Promise<{ spaceId: string }> }) {
  const { space, user } = await requireMemberPage(params)
  const { isDemo, gatewayPublicUrl } = runtime()
  return (
    <Page title="Tools" lead="Try everything assistants can do in this space’s Notion.">
      <ConnectedTools
        spaceId={space.id}
        userId={user.id}
        hasLinks={!isDemo}
        endpoint={spaceResource(gatewayPublicUrl, space.id)}
      />
    </Page>
  )
}

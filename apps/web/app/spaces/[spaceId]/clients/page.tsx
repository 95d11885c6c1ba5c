import { Notice } from '@/components/ui/notice.tsx'
import { ClientsPanel } from '@/features/clients/clients-panel.tsx'
import { clientLists } from '@/features/clients/space-clients.ts'
import { spaceResource } from '@/authorization-server/resources.ts'
import { Failure } from '@/lib/failure.ts'
import { runtime } from '@/lib/runtime.ts'
import { memberPageTitle, requireMemberPage } from '@/lib/page-guards.ts'
import { Page } from '@/app/spaces/[spaceId]/page-frame.tsx'
import { texts } from '@/features/clients/texts.ts'

export const generateMetadata = memberPageTitle('Clients')

export default async function ClientsPage({ params }: { params: Promise<{ spaceId: string }> }) {
  const member = await requireMemberPage(params)
  const lists = await clientLists(runtime(), member).catch((error: unknown) => {
    if (error instanceof Failure) return error
    throw error
  })
  return (
    <Page title={texts.page.title} lead={texts.page.lead}>
      {lists instanceof Error ? (
        <Notice tone="danger">{lists.message}</Notice>
      ) : (
        <ClientsPanel
          key={member.space.id}
          spaceId={member.space.id}
          spaceName={member.space.name}
          url={spaceResource(runtime().gatewayPublicUrl, member.space.id)}
          initial={lists}
        />
      )}
    </Page>
  )
}

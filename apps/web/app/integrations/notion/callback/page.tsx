import type { Metadata, Route } from 'next'
import { redirect } from 'next/navigation'
import { authorizationProblem } from '@/features/integrations/authorization-errors.ts'
import { CallbackFailure } from '@/features/integrations/callback-failure.tsx'
import { CallbackSuccess } from '@/features/integrations/callback-success.tsx'
import { previousConsentText } from '@/features/integrations/earlier-consents.ts'
import { isManager, memberIn, type SpaceMember } from '@/lib/membership.ts'
import { signedInUser } from '@/lib/page-guards.ts'

export const metadata: Metadata = { title: 'Connecting Notion' }

type Query = Record<string, string | string[] | undefined>

/** The gateway redirects here after Notion's consent page. The query is displayed, but not trusted. */
export default async function CallbackPage({ searchParams }: { searchParams: Promise<Query> }) {
  const { status, error, spaceId, mcp, previousConsent } = await searchParams
  if (status === undefined && error === undefined) redirect('/')
  const member = await ownSpace(one(spaceId))
  const home = (member ? `/spaces/${member.space.id}/connection` : '/') as Route
  return (
    <main className="mx-auto flex w-full max-w-md flex-1 flex-col items-start justify-center px-5 py-12">
      {status === 'success' ? (
        <CallbackSuccess
          home={home}
          isWaiting={mcp === 'confirmation_required'}
          note={previousConsentText(one(previousConsent))}
        />
      ) : (
        <CallbackFailure
          {...authorizationProblem(one(error))}
          home={home}
          spaceId={member && isManager(member.space.role) ? member.space.id : undefined}
        />
      )}
    </main>
  )
}

/** The space that the address names, if it is one of this user's, else the one that they are in. */
async function ownSpace(named: string | undefined): Promise<SpaceMember | undefined> {
  const found = await signedInUser()
  return found && ((named && memberIn(found, named)) || found.active)
}

const one = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value)

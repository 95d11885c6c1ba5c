import type { Metadata } from 'next'
import { ConsentForm } from '@/features/clients/consent-form.tsx'
import { consentQuestion } from '@/features/clients/consent-view.ts'
import { requireSignedInUser } from '@/lib/page-guards.ts'
import { runtime } from '@/lib/runtime.ts'
import { OAuthFrame } from '@/app/oauth/oauth-frame.tsx'

export const metadata: Metadata = { title: 'Allow client' }

interface ConsentPageProps {
  readonly searchParams: Promise<Record<string, string | string[] | undefined>>
}

/** Where the authorization server sends people to decide about a client's request. Its query is signed and goes back as it came. */
export default async function ConsentPage({ searchParams }: ConsentPageProps) {
  const query = new URLSearchParams(
    Object.entries(await searchParams).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): [string, string] => [name, one]),
    ),
  )
  const question = await consentQuestion(runtime(), query, await requireSignedInUser())
  if (!question) {
    return <OAuthFrame title="This request has expired" hasWayOn lead="Go back to your client and log in again." />
  }
  return (
    <OAuthFrame title="Allow this client to use your Notion?" lead="An MCP client wants to use your space’s Notion.">
      <ConsentForm question={question} />
    </OAuthFrame>
  )
}

import type { Metadata } from 'next'
import { ConsentForm } from '@/features/clients/consent-form.tsx'
import { consentQuestion } from '@/features/clients/consent-view.ts'
import { requireSignedInUser } from '@/lib/page-guards.ts'
import { runtime } from '@/lib/runtime.ts'
import { OAuthFrame } from '@/app/oauth/oauth-frame.tsx'

export const metadata: Metadata = { title: 'Allow a client' }

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
    return (
      <OAuthFrame
        title="This request is over"
        hasWayOn
        lead="It is too old. Go back to your client and log in from there again."
      />
    )
  }
  return (
    <OAuthFrame title="May this client use your Notion?" lead="An MCP client asks to work with your space’s Notion.">
      <ConsentForm question={question} />
    </OAuthFrame>
  )
}

import type { Metadata } from 'next'
import { ConsentForm } from '@/features/clients/consent-form.tsx'
import { consentQuestion } from '@/features/clients/consent-view.ts'
import { requireSignedInUser } from '@/lib/page-guards.ts'
import { runtime } from '@/lib/runtime.ts'
import { OAuthFrame } from '@/app/oauth/oauth-frame.tsx'
import { texts } from '@/features/clients/texts.ts'

export const metadata: Metadata = { title: texts.consent.pageTitle }

interface ConsentPageProps {
  readonly searchParams: Promise<Record<string, string | string[] | undefined>>
}

/** Consent page of the authorization server. Its signed query is returned unchanged with the decision. */
export default async function ConsentPage({ searchParams }: ConsentPageProps) {
  const query = new URLSearchParams(
    Object.entries(await searchParams).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): [string, string] => [name, one]),
    ),
  )
  const question = await consentQuestion(runtime(), query, await requireSignedInUser())
  if (!question) {
    return <OAuthFrame title={texts.consent.expiredTitle} hasWayOn lead={texts.consent.expired} />
  }
  return (
    <OAuthFrame title={texts.consent.title} lead={texts.consent.lead}>
      <ConsentForm question={question} />
    </OAuthFrame>
  )
}

import type { Metadata } from 'next'
import Link from 'next/link'
import { NewSpaceForm } from '@/features/spaces/new-space-form.tsx'
import { requireSignedInUser } from '@/lib/page-guards.ts'
import { LandingPage, linkStyle } from '@/app/landing-page.tsx'
import { texts } from '@/features/spaces/texts.ts'

export const metadata: Metadata = { title: texts.space.pageTitle }

export default async function NewSpacePage() {
  await requireSignedInUser()
  return (
    <LandingPage
      title={texts.space.createTitle}
      lead={texts.space.createLead}
      footer={
        <Link href="/" className={linkStyle}>
          {texts.space.back}
        </Link>
      }
    >
      <NewSpaceForm />
    </LandingPage>
  )
}

import type { Metadata } from 'next'
import Link from 'next/link'
import { NewSpaceForm } from '@/features/spaces/new-space-form.tsx'
import { requireSignedInUser } from '@/lib/page-guards.ts'
import { LandingPage, linkStyle } from '@/app/landing-page.tsx'

export const metadata: Metadata = { title: 'New space' }

export default async function NewSpacePage() {
  await requireSignedInUser()
  return (
    <LandingPage
      title="Create a space"
      lead="A space has its own members and its own connection to Notion. You’ll be its owner."
      footer={
        <Link href="/" className={linkStyle}>
          Back to your space
        </Link>
      }
    >
      <NewSpaceForm />
    </LandingPage>
  )
}

import type { Metadata, Route } from 'next'
import Link from 'next/link'
import { redirect } from 'next/navigation'
import { ProviderButtons } from '@/features/accounts/provider-buttons.tsx'
import { SignUpForm } from '@/features/accounts/sign-up-form.tsx'
import { returnPath } from '@/lib/return-path.ts'
import { runtime } from '@/lib/runtime.ts'
import { signedInUser } from '@/lib/page-guards.ts'
import { LandingPage, linkStyle, withNext } from '@/app/landing-page.tsx'

export const metadata: Metadata = { title: 'Create an account' }

export default async function SignUpPage({ searchParams }: { searchParams: Promise<{ next?: string | string[] }> }) {
  const next = returnPath([(await searchParams).next].flat()[0])
  if (await signedInUser()) redirect(next as Route)
  return (
    <LandingPage
      title="Create your account"
      lead="Connect Notion once for every assistant your team uses."
      footer={
        <>
          Already have an account?{' '}
          <Link href={withNext('/sign-in', next)} className={linkStyle}>
            Sign in
          </Link>
        </>
      }
    >
      <SignUpForm next={next} />
      <ProviderButtons providers={runtime().signInProviders} next={next} />
    </LandingPage>
  )
}

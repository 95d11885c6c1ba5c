import type { Metadata, Route } from 'next'
import Link from 'next/link'
import { redirect } from 'next/navigation'
import { ProviderButtons } from '@/features/accounts/provider-buttons.tsx'
import { SignUpForm } from '@/features/accounts/sign-up-form.tsx'
import { returnPath } from '@/lib/return-path.ts'
import { runtime } from '@/lib/runtime.ts'
import { signedInUser } from '@/lib/page-guards.ts'
import { LandingPage, linkStyle, withNext } from '@/app/landing-page.tsx'
import { texts } from '@/features/accounts/texts.ts'

export const metadata: Metadata = { title: texts.signUp.pageTitle }

export default async function SignUpPage({ searchParams }: { searchParams: Promise<{ next?: string | string[] }> }) {
  const next = returnPath([(await searchParams).next].flat()[0])
  if (await signedInUser()) redirect(next as Route)
  return (
    <LandingPage
      title={texts.signUp.title}
      lead={texts.signUp.lead}
      footer={
        <>
          Already have an account?{' '}
          <Link href={withNext('/sign-in', next)} className={linkStyle}>
            {texts.signUp.signIn}
          </Link>
        </>
      }
    >
      <SignUpForm next={next} />
      <ProviderButtons providers={runtime().signInProviders} next={next} />
    </LandingPage>
  )
}

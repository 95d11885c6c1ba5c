import type { Metadata, Route } from 'next'
import Link from 'next/link'
import { redirect } from 'next/navigation'
import { Notice } from '@/components/ui/notice.tsx'
import { demoUser } from '@/lib/demo-user.ts'
import { ProviderButtons } from '@/features/accounts/provider-buttons.tsx'
import { providerError } from '@/features/accounts/provider-choice.ts'
import { SignInForm } from '@/features/accounts/sign-in-form.tsx'
import { returnPath } from '@/lib/return-path.ts'
import { runtime } from '@/lib/runtime.ts'
import { signedInUser } from '@/lib/page-guards.ts'
import { LandingPage, linkStyle, withNext } from '@/app/landing-page.tsx'

export const metadata: Metadata = { title: 'Sign in' }

export default async function SignInPage({
  searchParams,
}: {
  searchParams: Promise<{ next?: string | string[]; error?: string | string[] }>
}) {
  const query = await searchParams
  const next = returnPath([query.next].flat()[0])
  const [error] = [query.error].flat()
  if (await signedInUser()) redirect(next as Route)
  const { isDemo, signInProviders } = runtime()
  return (
    <LandingPage
      title="Welcome back"
      lead={
        isDemo
          ? 'The demo has one user, Ada. Her email and password are filled in.'
          : 'Sign in to use your team’s Notion.'
      }
      footer={
        <>
          New here?{' '}
          <Link href={withNext('/sign-up', next)} className={linkStyle}>
            Create an account
          </Link>
          <br />
          <Link href="/forgot-password" className={linkStyle}>
            Forgot your password?
          </Link>
        </>
      }
    >
      {error !== undefined && (
        <Notice tone="danger" className="mb-5">
          {providerError(error)}
        </Notice>
      )}
      <SignInForm next={next} prefilled={isDemo ? { email: demoUser.email, password: demoUser.password } : undefined} />
      <ProviderButtons providers={signInProviders} next={next} />
    </LandingPage>
  )
}

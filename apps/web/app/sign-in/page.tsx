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
import { texts } from '@/features/accounts/texts.ts'

export const metadata: Metadata = { title: texts.signIn.pageTitle }

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
      title={texts.signIn.title}
      lead={isDemo ? texts.signIn.demoLead : texts.signIn.lead}
      footer={
        <>
          New here?{' '}
          <Link href={withNext('/sign-up', next)} className={linkStyle}>
            {texts.signIn.signUp}
          </Link>
          <br />
          <Link href="/forgot-password" className={linkStyle}>
            {texts.signIn.forgotPassword}
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

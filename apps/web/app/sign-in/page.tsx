import type { Metadata } from 'next'
import { headers } from 'next/headers'
import Link from 'next/link'
import { redirect } from 'next/navigation'
import { demoPerson } from '../../features/accounts/demo-person.ts'
import { SignInForm } from '../../features/accounts/sign-in-form.tsx'
import { signedIn } from '../../lib/members.ts'
import { runtime } from '../../lib/runtime.ts'
import { Entrance, linkStyle } from '../entrance.tsx'

export const metadata: Metadata = { title: 'Sign in' }

export default async function SignInPage() {
  if (await signedIn(await headers())) redirect('/')
  const { isDemo } = runtime()
  return (
    <Entrance
      title="Welcome back"
      lead={
        isDemo
          ? 'The demo has one person, Ada. Her email and password are filled in.'
          : 'Sign in to your team’s connection with Notion.'
      }
      footer={
        <>
          New here?{' '}
          <Link href="/sign-up" className={linkStyle}>
            Create an account
          </Link>
        </>
      }
    >
      <SignInForm prefilled={isDemo ? { email: demoPerson.email, password: demoPerson.password } : undefined} />
    </Entrance>
  )
}

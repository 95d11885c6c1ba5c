import type { Metadata } from 'next'
import { headers } from 'next/headers'
import Link from 'next/link'
import { redirect } from 'next/navigation'
import { SignUpForm } from '../../features/accounts/sign-up-form.tsx'
import { signedIn } from '../../lib/members.ts'
import { Entrance, linkStyle } from '../entrance.tsx'

export const metadata: Metadata = { title: 'Create an account' }

export default async function SignUpPage() {
  if (await signedIn(await headers())) redirect('/')
  return (
    <Entrance
      title="Create your account"
      lead="Connect Notion once, and every assistant of your team can use it."
      footer={
        <>
          Have an account?{' '}
          <Link href="/sign-in" className={linkStyle}>
            Sign in
          </Link>
        </>
      }
    >
      <SignUpForm />
    </Entrance>
  )
}

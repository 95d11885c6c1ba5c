import type { Metadata } from 'next'
import Link from 'next/link'
import { ForgotPasswordForm } from '@/features/accounts/forgot-password-form.tsx'
import { runtime } from '@/lib/runtime.ts'
import { LandingPage, linkStyle } from '@/app/landing-page.tsx'

export const metadata: Metadata = { title: 'Forgot your password?' }

export default function ForgotPasswordPage() {
  const hasMail = runtime().sendMail !== undefined
  return (
    <LandingPage
      title="Forgot your password?"
      lead={
        hasMail
          ? 'Give the email of your account, and a link to choose a new password is sent there.'
          : 'This installation sends no mail. Ask whoever operates it for a link with which you choose a new password; they make it with a command, and it is good for one hour.'
      }
      footer={
        <Link href="/sign-in" className={linkStyle}>
          Back to signing in
        </Link>
      }
    >
      {hasMail && <ForgotPasswordForm />}
    </LandingPage>
  )
}

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
          ? 'Enter your email to get a link for choosing a new password.'
          : 'This installation doesn’t send email. Ask your administrator for a password reset link, which expires in one hour.'
      }
      footer={
        <Link href="/sign-in" className={linkStyle}>
          Back to sign-in
        </Link>
      }
    >
      {hasMail && <ForgotPasswordForm />}
    </LandingPage>
  )
}

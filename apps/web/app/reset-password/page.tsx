import type { Metadata } from 'next'
import Link from 'next/link'
import { ResetPasswordForm } from '@/features/accounts/reset-password-form.tsx'
import { LandingPage, linkStyle } from '@/app/landing-page.tsx'

export const metadata: Metadata = { title: 'Choose a new password' }

export default function ResetPasswordPage() {
  return (
    <LandingPage
      title="Choose a new password"
      lead="You are signed out everywhere, and sign in again with the new one."
      footer={
        <Link href="/forgot-password" className={linkStyle}>
          Ask for another link
        </Link>
      }
    >
      <ResetPasswordForm />
    </LandingPage>
  )
}

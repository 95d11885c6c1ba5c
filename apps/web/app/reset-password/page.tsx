import type { Metadata } from 'next'
import Link from 'next/link'
import { ResetPasswordForm } from '@/features/accounts/reset-password-form.tsx'
import { LandingPage, linkStyle } from '@/app/landing-page.tsx'

export const metadata: Metadata = { title: 'Choose a new password' }

export default function ResetPasswordPage() {
  return (
    <LandingPage
      title="Choose a new password"
      lead="This signs you out everywhere. Sign in again with your new password."
      footer={
        <Link href="/forgot-password" className={linkStyle}>
          Request a new link
        </Link>
      }
    >
      <ResetPasswordForm />
    </LandingPage>
  )
}

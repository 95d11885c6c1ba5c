import type { Metadata } from 'next'
import Link from 'next/link'
import { ResetPasswordForm } from '@/features/accounts/reset-password-form.tsx'
import { LandingPage, linkStyle } from '@/app/landing-page.tsx'
import { texts } from '@/features/accounts/texts.ts'

export const metadata: Metadata = { title: texts.resetPassword.title }

export default function ResetPasswordPage() {
  return (
    <LandingPage
      title={texts.resetPassword.title}
      lead={texts.resetPassword.lead}
      footer={
        <Link href="/forgot-password" className={linkStyle}>
          {texts.resetPassword.newLink}
        </Link>
      }
    >
      <ResetPasswordForm />
    </LandingPage>
  )
}

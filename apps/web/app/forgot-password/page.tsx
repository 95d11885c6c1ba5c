import type { Metadata } from 'next'
import Link from 'next/link'
import { ForgotPasswordForm } from '@/features/accounts/forgot-password-form.tsx'
import { runtime } from '@/lib/runtime.ts'
import { LandingPage, linkStyle } from '@/app/landing-page.tsx'
import { texts } from '@/features/accounts/texts.ts'

export const metadata: Metadata = { title: texts.forgotPassword.title }

export default function ForgotPasswordPage() {
  const hasMail = runtime().sendMail !== undefined
  return (
    <LandingPage
      title={texts.forgotPassword.title}
      lead={hasMail ? texts.forgotPassword.lead : texts.forgotPassword.leadWithoutMail}
      footer={
        <Link href="/sign-in" className={linkStyle}>
          {texts.forgotPassword.back}
        </Link>
      }
    >
      {hasMail && <ForgotPasswordForm />}
    </LandingPage>
  )
}

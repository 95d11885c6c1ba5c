import type { Metadata } from 'next'
import { Notice } from '@/components/ui/notice.tsx'
import { sessionsOf, waysOf } from '@/features/accounts/account-data.ts'
import { NameForm } from '@/features/accounts/name-form.tsx'
import { PasswordForm } from '@/features/accounts/password-form.tsx'
import { providerError } from '@/features/accounts/provider-choice.ts'
import { SessionList } from '@/features/accounts/session-list.tsx'
import { SignInWays } from '@/features/accounts/sign-in-ways.tsx'
import { runtime } from '@/lib/runtime.ts'
import { requireSignedInUser } from '@/lib/page-guards.ts'
import { texts } from '@/features/accounts/texts.ts'

export const metadata: Metadata = { title: texts.account.title }

export default async function AccountPage({ searchParams }: { searchParams: Promise<{ error?: string | string[] }> }) {
  const found = await requireSignedInUser()
  const [sessions, ways] = await Promise.all([sessionsOf(runtime(), found), waysOf(runtime(), found)])
  const [error] = [(await searchParams).error].flat()
  const { signInProviders } = runtime()
  return (
    <div className="space-y-6">
      <div>
        <h1 className="text-2xl font-semibold tracking-tight">{texts.account.title}</h1>
        <p className="mt-1.5 text-[15px] break-words text-soft">{found.user.email}</p>
      </div>
      {error !== undefined && <Notice tone="danger">{providerError(error)}</Notice>}
      <NameForm name={found.user.name} />
      {ways.has('credential') && <PasswordForm email={found.user.email} />}
      {signInProviders.length > 0 && (
        <SignInWays
          ways={signInProviders.map((provider) => ({ ...provider, isConnected: ways.has(provider.id) }))}
          isOnlyOne={ways.size === 1}
        />
      )}
      <SessionList sessions={sessions} />
    </div>
  )
}

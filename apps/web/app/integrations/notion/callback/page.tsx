import type { Metadata } from 'next'
import { headers } from 'next/headers'
import { redirect } from 'next/navigation'
import { authorizationProblem } from '../../../../features/integrations/authorization-errors.ts'
import { CallbackFailure } from '../../../../features/integrations/callback-failure.tsx'
import { CallbackSuccess } from '../../../../features/integrations/callback-success.tsx'
import { isManager, signedIn } from '../../../../lib/members.ts'

export const metadata: Metadata = { title: 'Connecting Notion' }

type Query = Record<string, string | string[] | undefined>

/** Where the gateway sends the browser after Notion's consent page. What the address says is shown and never believed. */
export default async function CallbackPage({ searchParams }: { searchParams: Promise<Query> }) {
  const { status, error } = await searchParams
  if (status === undefined && error === undefined) redirect('/')
  return (
    <main className="mx-auto flex w-full max-w-md flex-1 flex-col items-start justify-center px-5 py-12">
      {status === 'success' ? (
        <CallbackSuccess />
      ) : (
        <CallbackFailure {...authorizationProblem(one(error))} spaceId={await ownSpace()} />
      )}
    </main>
  )
}

/** The space to try again for, if this person may. */
async function ownSpace(): Promise<string | undefined> {
  const active = (await signedIn(await headers()))?.active
  return active && isManager(active.space.role) ? active.space.id : undefined
}

const one = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value)

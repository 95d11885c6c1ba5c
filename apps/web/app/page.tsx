import { redirect } from 'next/navigation'
import { NoSpace } from '@/features/spaces/no-space.tsx'
import { requireSignedInUser } from '@/lib/page-guards.ts'
import { PlainFrame } from './plain-frame.tsx'

/** Leads to the space that the user is in, or to the connection of the one that a client's error message names. */
export default async function HomePage({ searchParams }: { searchParams: Promise<{ space?: string | string[] }> }) {
  const { user, spaces, active } = await requireSignedInUser()
  const { space } = await searchParams
  const named = spaces.find(({ id }) => id === space)
  if (named) redirect(`/spaces/${named.id}/connection`)
  if (active) redirect(`/spaces/${active.space.id}`)
  return (
    <PlainFrame user={user}>
      <NoSpace />
    </PlainFrame>
  )
}

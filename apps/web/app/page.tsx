import { redirect } from 'next/navigation'
import { NoSpace } from '@/features/spaces/no-space.tsx'
import { requireVisitor } from '@/lib/visitor.ts'
import { PlainFrame } from './plain-frame.tsx'

/** Leads to the space that the person is in, or to the connection of the one that a client's error message names. */
export default async function HomePage({ searchParams }: { searchParams: Promise<{ space?: string | string[] }> }) {
  const { person, spaces, active } = await requireVisitor()
  const { space } = await searchParams
  const named = spaces.find(({ id }) => id === space)
  if (named) redirect(`/spaces/${named.id}/connection`)
  if (active) redirect(`/spaces/${active.space.id}`)
  return (
    <PlainFrame person={person}>
      <NoSpace />
    </PlainFrame>
  )
}

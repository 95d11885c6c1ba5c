import { redirect } from 'next/navigation'
import { NoSpace } from '../features/spaces/no-space.tsx'
import { requireVisitor } from '../lib/visitor.ts'
import { PlainFrame } from './plain-frame.tsx'

/** Leads to the space that the person is in. */
export default async function HomePage() {
  const { person, active } = await requireVisitor()
  if (active) redirect(`/spaces/${active.space.id}`)
  return (
    <PlainFrame person={person}>
      <NoSpace />
    </PlainFrame>
  )
}

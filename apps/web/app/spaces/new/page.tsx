import type { Metadata } from 'next'
import Link from 'next/link'
import { NewSpaceForm } from '@/features/spaces/new-space-form.tsx'
import { requireVisitor } from '@/lib/visitor.ts'
import { Entrance, linkStyle } from '@/app/entrance.tsx'

export const metadata: Metadata = { title: 'New space' }

export default async function NewSpacePage() {
  await requireVisitor()
  return (
    <Entrance
      title="Make a new space"
      lead="A space has its own members and its own connection with Notion. You become its owner."
      footer={
        <Link href="/" className={linkStyle}>
          Back to your space
        </Link>
      }
    >
      <NewSpaceForm />
    </Entrance>
  )
}

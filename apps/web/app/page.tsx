import { redirect } from 'next/navigation'
import { Logo } from '../components/ui/marks.tsx'
import { AccountMenu } from '../features/accounts/account-menu.tsx'
import { NoSpace } from '../features/spaces/no-space.tsx'
import { requireVisitor } from '../lib/visitor.ts'

/** Leads to the space that the person is in. */
export default async function HomePage() {
  const { person, active } = await requireVisitor()
  if (active) redirect(`/spaces/${active.space.id}`)
  return (
    <>
      <header className="border-b border-line bg-surface">
        <div className="mx-auto flex h-14 max-w-5xl items-center gap-3 px-4 sm:px-6">
          <Logo className="shrink-0" />
          <p className="flex-1 truncate text-sm font-semibold tracking-tight">Notion MCP Gateway</p>
          <AccountMenu name={person.name} email={person.email} />
        </div>
      </header>
      <main className="mx-auto w-full max-w-5xl flex-1 px-4 py-8 sm:px-6 sm:py-10">
        <NoSpace />
      </main>
    </>
  )
}

import { headers } from 'next/headers'
import { redirect } from 'next/navigation'
import { cn } from '../components/ui/class-names.ts'
import { Logo } from '../components/ui/marks.tsx'
import { AccountMenu } from '../features/accounts/account-menu.tsx'
import { connectionView } from '../features/integrations/space-connection.ts'
import { NoSpace } from '../features/spaces/no-space.tsx'
import { SpaceMenu } from '../features/spaces/space-menu.tsx'
import { isManager, managerNames, signedIn, type SpaceMember } from '../lib/members.ts'
import { runtime } from '../lib/runtime.ts'
import { Home } from './home.tsx'

/** The space that the person is in: its connection, and its tools. */
export default async function HomePage() {
  const found = await signedIn(await headers())
  if (!found) redirect('/sign-in')
  const { person, spaces, active } = found
  const hasChoice = spaces.length > 1
  return (
    <>
      <header className="border-b border-line bg-surface">
        <div className="mx-auto flex h-14 max-w-5xl items-center gap-3 px-4 sm:px-6">
          <Logo className="shrink-0" />
          <p className={cn('truncate text-sm font-semibold tracking-tight', hasChoice && 'max-sm:sr-only')}>
            Notion MCP Gateway
          </p>
          <div className="flex min-w-0 flex-1 justify-end">
            {active && hasChoice && <SpaceMenu spaces={spaces} active={active.space} />}
          </div>
          <AccountMenu name={person.name} email={person.email} />
        </div>
      </header>
      <main className="mx-auto w-full max-w-5xl flex-1 px-4 py-8 sm:px-6 sm:py-10">
        {active ? <SpaceHome member={active} /> : <NoSpace />}
      </main>
    </>
  )
}

async function SpaceHome({ member }: { member: SpaceMember }) {
  const { id, name, role } = member.space
  const canManage = isManager(role)
  const [connection, managers] = await Promise.all([connectionView(member), canManage ? [] : managerNames(member)])
  return (
    <>
      <h1 className="mb-6 text-2xl font-semibold tracking-tight text-balance break-words">{name}</h1>
      <Home
        key={id}
        spaceId={id}
        connection={connection}
        permission={{ canManage, managers }}
        isDemo={runtime().isDemo}
      />
    </>
  )
}

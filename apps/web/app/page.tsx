import { headers } from 'next/headers'
import { redirect } from 'next/navigation'
import { cn } from '../components/ui/class-names.ts'
import { Logo } from '../components/ui/marks.tsx'
import { AccountMenu } from '../features/accounts/account-menu.tsx'
import { connectionView } from '../features/integrations/space-connection.ts'
import { NoSpace } from '../features/spaces/no-space.tsx'
import { SpaceMenu } from '../features/spaces/space-menu.tsx'
import { isManager, managerNames, requireMember, signedIn } from '../lib/members.ts'
import { runtime } from '../lib/runtime.ts'
import { Home } from './home.tsx'

/** The space that the person is in: its connection, and its tools. */
export default async function HomePage() {
  const requestHeaders = await headers()
  const found = await signedIn(requestHeaders)
  if (!found) redirect('/sign-in')
  const { person, spaces, active } = found
  return (
    <>
      <header className="border-b border-line bg-surface">
        <div className="mx-auto flex h-14 max-w-5xl items-center gap-3 px-4 sm:px-6">
          <Logo className="shrink-0" />
          <p
            className={cn(
              'flex-1 truncate text-sm font-semibold tracking-tight',
              spaces.length > 1 && 'max-sm:sr-only',
            )}
          >
            Notion MCP Gateway
          </p>
          {active && <SpaceMenu spaces={spaces.map(({ id, name }) => ({ id, name }))} active={active} />}
          <span className={cn('sm:hidden', spaces.length > 1 && 'flex-1')} />
          <AccountMenu name={person.name} email={person.email} />
        </div>
      </header>
      <main className="mx-auto w-full max-w-5xl flex-1 px-4 py-8 sm:px-6 sm:py-10">
        {active ? <SpaceHome requestHeaders={requestHeaders} spaceId={active.id} /> : <NoSpace />}
      </main>
    </>
  )
}

async function SpaceHome({ requestHeaders, spaceId }: { requestHeaders: Headers; spaceId: string }) {
  const member = await requireMember(requestHeaders, spaceId)
  const canManage = isManager(member.space.role)
  const [connection, managers] = await Promise.all([connectionView(member), canManage ? [] : managerNames(member)])
  return (
    <>
      <h1 className="mb-6 text-2xl font-semibold tracking-tight text-balance">{member.space.name}</h1>
      <Home
        key={spaceId}
        spaceId={spaceId}
        connection={connection}
        permission={{ canManage, managers }}
        isDemo={runtime().isDemo}
      />
    </>
  )
}

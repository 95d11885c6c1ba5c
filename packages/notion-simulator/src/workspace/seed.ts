import { seedAcme } from './acme.ts'
import { seedNorthwind } from './northwind.ts'
import { PEOPLE, seeder } from './seeder.ts'
import { seededId, type Workspace } from './workspace.ts'

function emptyWorkspace(basics: Pick<Workspace, 'name' | 'domain' | 'icon' | 'plan' | 'members'>): Workspace {
  return {
    ...basics,
    id: seededId(`workspace:${basics.name}`),
    teamspaces: [],
    pages: new Map(),
    databases: new Map(),
    dataSources: new Map(),
    views: new Map(),
    discussions: new Map(),
    tasks: new Map(),
    favorites: new Map(),
    visited: new Map(),
  }
}

/** Creates two workspaces with three users. Their dates are relative to `now`, in milliseconds. */
export function seedWorkspaces(now: number): Workspace[] {
  const { ada, ben, cleo } = PEOPLE
  const acme = emptyWorkspace({
    name: 'Acme',
    domain: 'acme.test',
    icon: '🏭',
    plan: 'business',
    members: [
      { user: ada, role: 'owner' },
      { user: ben, role: 'member' },
    ],
  })
  const northwind = emptyWorkspace({
    name: 'Northwind',
    domain: 'northwind.test',
    icon: '🌬️',
    plan: 'plus',
    members: [
      { user: cleo, role: 'owner' },
      { user: ada, role: 'member' },
    ],
  })
  seedAcme(seeder(acme, now), now)
  seedNorthwind(seeder(northwind, now))
  const acmeIds = seeder(acme, now)
  acme.favorites.set(ada.id, [acmeIds.idOf('page', 'launch-plan'), acmeIds.idOf('page', 'roadmap')])
  acme.visited.set(ada.id, [
    acmeIds.idOf('page', 'launch-plan'),
    acmeIds.idOf('page', 'weekly-2'),
    acmeIds.idOf('page', 'scratchpad'),
  ])
  return [acme, northwind]
}

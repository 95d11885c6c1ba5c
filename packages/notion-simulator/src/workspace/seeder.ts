import { DAY, MINUTE } from '../clock.ts'
import {
  seededId,
  type Database,
  type DataSource,
  type Discussion,
  type Page,
  type Parent,
  type PropertyDefinition,
  type PropertyValue,
  type User,
  type View,
  type Workspace,
} from './workspace.ts'

/** The users of the seeded workspaces. Ada is a member of both. */
export const PEOPLE = {
  ada: { id: seededId('user:ada'), name: 'Ada Sandberg', email: 'ada@acme.test' },
  ben: { id: seededId('user:ben'), name: 'Ben Okafor', email: 'ben@acme.test' },
  cleo: { id: seededId('user:cleo'), name: 'Cleo Marchetti', email: 'cleo@northwind.test' },
} as const satisfies Record<string, User>

/** The parent of a seeded page; pages and data sources by their key. */
export type SeedParent = { teamspace: string } | { privateOf: User } | { page: string } | { dataSource: string }

type PageSeed = {
  key: string
  title: string
  icon?: string
  parent: SeedParent
  by: User
  createdDaysAgo: number
  editedDaysAgo: number
  content?: string
  properties?: Record<string, PropertyValue>
  sharedWith?: User[]
  archived?: boolean
  verified?: boolean
}

type DatabaseSeed = {
  key: string
  title: string
  icon: string
  description: string
  parent: SeedParent
  by: User
  properties: Record<string, PropertyDefinition>
  views: Pick<View, 'name' | 'type' | 'filter' | 'sort'>[]
  template?: { name: string; content: string }
}

/** Fills one workspace. Ids are derived from `workspace/key`, times from the start time. */
export type Seeder = {
  teamspace(key: string, name: string, members: User[]): void
  page(seed: PageSeed): void
  database(seed: DatabaseSeed): void
  discussion(key: string, pageKey: string, textContext: string | undefined, comments: [User, number, string][]): void
  idOf(kind: 'page' | 'data-source' | 'database' | 'view', key: string): string
}

export function seeder(workspace: Workspace, now: number): Seeder {
  const idOf = (kind: string, key: string) => seededId(`${workspace.name}/${kind}/${key}`)
  const at = (daysAgo: number) => now - daysAgo * DAY

  const parentOf = (parent: SeedParent): Parent => {
    if ('teamspace' in parent) return { type: 'teamspace', id: idOf('teamspace', parent.teamspace) }
    if ('privateOf' in parent) return { type: 'private', userId: parent.privateOf.id }
    if ('page' in parent) return { type: 'page', id: idOf('page', parent.page) }
    return { type: 'data_source', id: idOf('data-source', parent.dataSource) }
  }

  return {
    idOf,

    teamspace(key, name, members) {
      workspace.teamspaces.push({ id: idOf('teamspace', key), name, memberIds: members.map(({ id }) => id) })
    },

    page(seed) {
      const page: Page = {
        id: idOf('page', seed.key),
        title: seed.title,
        icon: seed.icon ?? null,
        cover: null,
        parent: parentOf(seed.parent),
        properties: seed.properties ?? {},
        content: (seed.content ?? '').trim(),
        sharedWith: (seed.sharedWith ?? []).map(({ id }) => id),
        createdAt: at(seed.createdDaysAgo),
        createdBy: seed.by.id,
        editedAt: at(seed.editedDaysAgo),
        editedBy: seed.by.id,
        archived: seed.archived ?? false,
        isSkill: false,
        ...(seed.verified && { verification: { status: 'verified' as const, by: seed.by.id } }),
      }
      workspace.pages.set(page.id, page)
    },

    database(seed) {
      const database: Database = {
        id: idOf('database', seed.key),
        title: seed.title,
        description: seed.description,
        icon: seed.icon,
        parent: parentOf(seed.parent),
        inline: false,
        createdAt: at(120),
        editedAt: at(2),
        editedBy: seed.by.id,
      }
      const source: DataSource = {
        id: idOf('data-source', seed.key),
        databaseId: database.id,
        name: seed.title,
        description: seed.description,
        properties: seed.properties,
        templates: seed.template ? [{ id: idOf('template', seed.key), ...seed.template }] : [],
        inTrash: false,
      }
      workspace.databases.set(database.id, database)
      workspace.dataSources.set(source.id, source)
      for (const view of seed.views) {
        const id = idOf('view', `${seed.key}/${view.name}`)
        workspace.views.set(id, { id, databaseId: database.id, dataSourceId: source.id, ...view })
      }
    },

    discussion(key, pageKey, textContext, comments) {
      const discussion: Discussion = {
        id: idOf('discussion', key),
        pageId: idOf('page', pageKey),
        blockId: idOf('block', key),
        resolved: false,
        ...(textContext !== undefined && { textContext }),
        comments: comments.map(([user, hoursAgo, text], index) => ({
          id: idOf('comment', `${key}/${index}`),
          userId: user.id,
          at: now - hoursAgo * 60 * MINUTE,
          text,
        })),
      }
      workspace.discussions.set(discussion.id, discussion)
    },
  }
}

import { createHash, randomUUID } from 'node:crypto'

export type Plan = 'free' | 'plus' | 'business' | 'enterprise'

export type User = { id: string; name: string; email: string }

export type Member = { user: User; role: 'owner' | 'member' }

export type Teamspace = { id: string; name: string; memberIds: string[] }

/** Where a page or database hangs. `private` is the private section of one person. */
export type Parent =
  | { type: 'teamspace'; id: string }
  | { type: 'private'; userId: string }
  | { type: 'page'; id: string }
  | { type: 'data_source'; id: string }

/** A value as the tools write it: dates are split (`date:Due:start`), checkboxes `__YES__`/`__NO__`, people JSON. */
export type PropertyValue = string | number | null

export type Page = {
  id: string
  title: string
  icon: string | null
  cover: string | null
  parent: Parent
  /** Without the title. */
  properties: Record<string, PropertyValue>
  /** Notion-flavoured Markdown. */
  content: string
  /** People who see a private page besides its owner. */
  sharedWith: string[]
  createdAt: number
  createdBy: string
  editedAt: number
  editedBy: string
  archived: boolean
  isSkill: boolean
  verification?: { status: 'verified' | 'unverified'; expiresAt?: number; by: string }
}

export type PropertyType =
  | 'title'
  | 'text'
  | 'number'
  | 'select'
  | 'multi_select'
  | 'status'
  | 'date'
  | 'person'
  | 'checkbox'
  | 'url'
  | 'email'
  | 'created_time'

export type PropertyDefinition = { type: PropertyType; options?: string[] }

export type DataSource = {
  id: string
  databaseId: string
  name: string
  description: string
  properties: Record<string, PropertyDefinition>
  templates: { id: string; name: string; content: string }[]
  inTrash: boolean
}

export type View = {
  id: string
  databaseId: string
  dataSourceId: string
  name: string
  type: string
  /** Rows it shows: only those whose property has this value. */
  filter?: { property: string; equals: string }
  sort?: { property: string; descending: boolean }
  configure?: string
}

export type Database = {
  id: string
  title: string
  description: string
  icon: string | null
  parent: Parent
  inline: boolean
  createdAt: number
  editedAt: number
  editedBy: string
}

export type Comment = { id: string; userId: string; at: number; text: string }

export type Discussion = {
  id: string
  pageId: string
  blockId: string
  resolved: boolean
  /** The words it is attached to; absent for one about the whole page. */
  textContext?: string
  comments: Comment[]
}

/** Work that goes on after the tool has answered. */
export type AsyncTask = {
  id: string
  operation: string
  createdAt: number
  finishesAt: number
  /** Does the work; gone once it is done. */
  finish?: () => unknown
  result?: unknown
}

/** One Notion workspace, in memory. */
export type Workspace = {
  id: string
  name: string
  domain: string
  icon: string
  plan: Plan
  members: Member[]
  teamspaces: Teamspace[]
  pages: Map<string, Page>
  databases: Map<string, Database>
  dataSources: Map<string, DataSource>
  views: Map<string, View>
  discussions: Map<string, Discussion>
  tasks: Map<string, AsyncTask>
  /** Page ids, by user id; latest first. */
  favorites: Map<string, string[]>
  visited: Map<string, string[]>
}

/** A UUID that is the same on every start, so that tests can name seeded things. */
export function seededId(name: string): string {
  const hex = createHash('sha256').update(`notion-simulator:${name}`).digest('hex')
  const variant = '89ab'[Number.parseInt(hex[16] ?? '0', 16) & 3]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export const newId = (): string => randomUUID()

export function memberOf(workspace: Workspace, userId: string): Member | undefined {
  return workspace.members.find((member) => member.user.id === userId)
}

/** Finds a workspace by id or name. */
export function findWorkspace(workspaces: readonly Workspace[], idOrName: string): Workspace | undefined {
  return workspaces.find(({ id, name }) => id === idOrName || name.toLowerCase() === idOrName.toLowerCase())
}

/** A person in one of the workspaces, by id, email or first name. */
export function findUser(workspaces: readonly Workspace[], whom: string): User | undefined {
  const wanted = whom.toLowerCase()
  return workspaces
    .flatMap(({ members }) => members.map(({ user }) => user))
    .find(({ id, email, name }) => id === whom || email === wanted || name.toLowerCase().split(' ')[0] === wanted)
}

/** A person in a workspace: the choice on the consent page. */
export type Account = { user: User; workspace: Workspace }

/** All choices; with `whom` and `where` only those that fit. */
export function accounts(workspaces: readonly Workspace[], whom?: string, where?: string): Account[] {
  const user = whom === undefined ? undefined : findUser(workspaces, whom)
  const place = where === undefined ? undefined : findWorkspace(workspaces, where)
  if ((whom !== undefined && !user) || (where !== undefined && !place)) return []
  return workspaces
    .filter((workspace) => !place || workspace === place)
    .flatMap((workspace) => workspace.members.map((member) => ({ user: member.user, workspace })))
    .filter((account) => !user || account.user.id === user.id)
}

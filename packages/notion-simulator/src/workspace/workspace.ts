import { createHash, randomUUID } from 'node:crypto'

export type Plan = 'free' | 'plus' | 'business' | 'enterprise'

export type User = { id: string; name: string; email: string }

export type Member = { user: User; role: 'owner' | 'member' }

export type Teamspace = { id: string; name: string; memberIds: string[] }

/** The parent of a page or database. `private` is the private section of one user. */
export type Parent =
  | { type: 'teamspace'; id: string }
  | { type: 'private'; userId: string }
  | { type: 'page'; id: string }
  | { type: 'data_source'; id: string }

/** A property value in the tools' format: dates are split (`date:Due:start`), checkboxes are `__YES__`/`__NO__`, people are JSON. */
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
  /** Users who can see a private page besides its owner. */
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
  /** Only rows whose property has this value. */
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
  /** The selected text; absent for a discussion of the page. */
  textContext?: string
  comments: Comment[]
}

/** Work that continues after the tool's result. */
export type AsyncTask = {
  id: string
  operation: string
  createdAt: number
  finishesAt: number
  /** Does the work; removed afterwards. */
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

/** A UUID that is the same at every start, for use in tests. */
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

/** Finds a user in one of the workspaces, by id, email or first name. */
export function findUser(workspaces: readonly Workspace[], nameOrId: string): User | undefined {
  const lowerCase = nameOrId.toLowerCase()
  return workspaces
    .flatMap(({ members }) => members.map(({ user }) => user))
    .find(
      ({ id, email, name }) => id === nameOrId || email === lowerCase || name.toLowerCase().split(' ')[0] === lowerCase,
    )
}

/** A user in a workspace: an option on the consent page. */
export type Account = { user: User; workspace: Workspace }

/** All accounts, or those of this user and workspace. */
export function accounts(workspaces: readonly Workspace[], userName?: string, workspaceName?: string): Account[] {
  const user = userName === undefined ? undefined : findUser(workspaces, userName)
  const workspace = workspaceName === undefined ? undefined : findWorkspace(workspaces, workspaceName)
  if ((userName !== undefined && !user) || (workspaceName !== undefined && !workspace)) return []
  return workspaces
    .filter((candidate) => !workspace || candidate === workspace)
    .flatMap((candidate) => candidate.members.map((member) => ({ user: member.user, workspace: candidate })))
    .filter((account) => !user || account.user.id === user.id)
}

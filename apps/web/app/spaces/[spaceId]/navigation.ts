import { MessagesSquare, Plug, Settings, SquareTerminal, Users, Wrench, type LucideIcon } from 'lucide-react'
import type { Route } from 'next'

export interface Destination {
  readonly label: string
  readonly icon: LucideIcon
  readonly href: (spaceId: string) => Route
  /** Whether there is little to do there without a connection. */
  readonly needsNotion?: boolean
  /** Whether the page itself says how the connection is. */
  readonly showsConnection?: boolean
}

// Next knows routes with a variable part only where they are written down in a link.
const page = (name: string) => (spaceId: string) => `/spaces/${spaceId}/${name}` as Route

/** The pages of a space, in the order of the navigation. */
export const destinations: readonly Destination[] = [
  { label: 'Chat', icon: MessagesSquare, href: page('chat'), needsNotion: true },
  { label: 'Tools', icon: Wrench, href: page('tools'), needsNotion: true },
  { label: 'Clients', icon: SquareTerminal, href: page('clients'), needsNotion: true },
  { label: 'Connection', icon: Plug, href: page('connection'), showsConnection: true },
  { label: 'Members', icon: Users, href: page('members') },
  { label: 'Settings', icon: Settings, href: page('settings') },
]

/** Where a space begins: with what it is for, or, while that is not possible, with connecting it. */
export const startOf = (spaceId: string, isConnected: boolean): Route =>
  page(isConnected ? 'chat' : 'connection')(spaceId)

/** Whether the page at `path` is this destination or below it. */
export const isAt = (path: string, href: string): boolean => path === href || path.startsWith(`${href}/`)

import { z } from 'zod'
import type { Member } from '../../workspace/workspace.ts'
import { notFound, tool } from '../tool.ts'
import { offsetFrom } from './paging.ts'

const person = ({ user }: Member) => ({ type: 'person', id: user.id, name: user.name, email: user.email })

export const getUsers = tool({
  name: 'get-users',
  title: 'List people',
  kind: 'read',
  description: `
Lists the people of the workspace, or those whose name or email contains \`query\`, or one by \`user_id\` ("self" is the connected user).
With \`has_more\`, ask again with \`start_cursor\` set to \`next_cursor\`.`,
  input: z.object({
    query: z.string().optional(),
    start_cursor: z.string().optional(),
    page_size: z.number().int().min(1).max(100).optional().describe('Default 100.'),
    user_id: z.string().optional().describe('An ID, or "self".'),
  }),
  run({ query, start_cursor, page_size = 100, user_id }, { viewer }) {
    const { members } = viewer.workspace
    if (user_id !== undefined) {
      const userId = user_id === 'self' ? viewer.user.id : user_id
      const member = members.find(({ user }) => user.id === userId)
      if (!member) throw notFound('user', user_id)
      return { results: [person(member)], has_more: false }
    }
    const needle = query?.toLowerCase() ?? ''
    const found = members.filter(({ user }) => `${user.name} ${user.email}`.toLowerCase().includes(needle))
    const offset = offsetFrom(start_cursor)
    const end = offset + page_size
    const hasMore = end < found.length
    return {
      results: found.slice(offset, end).map(person),
      has_more: hasMore,
      ...(hasMore && { next_cursor: `offset:${end}` }),
    }
  },
})

export const getTeams = tool({
  name: 'get-teams',
  title: 'List teamspaces',
  kind: 'read',
  description: `
Lists teamspaces, at most 10, split into those that the connected user has joined and the others. \`query\` restricts by name. Use the id
as \`teamspace_id\` in other tools.`,
  input: z.object({ query: z.string().min(1).max(100).optional() }),
  run({ query }, { viewer }) {
    const needle = query?.toLowerCase() ?? ''
    const found = viewer.workspace.teamspaces.filter(({ name }) => name.toLowerCase().includes(needle))
    const shown = found.slice(0, 10)
    const joined = shown.filter(({ memberIds }) => memberIds.includes(viewer.user.id))
    return {
      joinedTeams: joined.map(({ id, name }) => ({ id, name, role: 'member' })),
      otherTeams: shown.filter((team) => !joined.includes(team)).map(({ id, name }) => ({ id, name, role: 'none' })),
      hasMore: found.length > shown.length,
    }
  },
})

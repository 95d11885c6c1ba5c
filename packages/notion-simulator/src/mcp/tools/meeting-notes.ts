import { z } from 'zod'
import { ago, pageUrl, visiblePages } from '../../workspace/pages.ts'
import { tool } from '../tool.ts'

const Condition = z.object({
  property: z.string().describe('title, created_time or created_by'),
  filter: z.object({ operator: z.string(), value: z.unknown().optional() }).loose().optional(),
})

export const queryMeetingNotes = tool({
  name: 'query-meeting-notes',
  title: 'Query meeting notes',
  kind: 'read',
  description: `
Lists meeting notes that the connected user can see, newest first. \`filter\` combines conditions on title, time and people with \`and\` or
\`or\`. Fetch a note to read it, with \`include_transcript\` for its transcript.`,
  input: z.object({
    filter: z.object({ operator: z.enum(['and', 'or']), filters: z.array(Condition) }).optional(),
  }),
  run({ filter }, { viewer }) {
    const meetings = visiblePages(viewer)
      .filter(
        ({ parent }) => parent.type === 'page' && viewer.workspace.pages.get(parent.id)?.title === 'Meeting notes',
      )
      .sort((a, b) => b.createdAt - a.createdAt)
    const titleParts = filter?.filters.flatMap(({ property, filter: condition }) =>
      property === 'title' && typeof condition?.value === 'string' ? [condition.value.toLowerCase()] : [],
    )
    const fits = (title: string) => {
      if (!titleParts?.length) return true
      const tests = titleParts.map((part) => title.toLowerCase().includes(part))
      return filter?.operator === 'or' ? tests.some(Boolean) : tests.every(Boolean)
    }
    return {
      results: meetings
        .filter(({ title }) => fits(title))
        .map(({ id, title, createdAt }) => ({
          id,
          title,
          url: pageUrl(viewer, id),
          type: 'meeting_notes',
          timestamp: ago(viewer.now, createdAt),
        })),
      has_more: false,
    }
  },
})

import type { Options } from '../../options.ts'
import type { Plan } from '../../workspace/workspace.ts'
import type { Tool } from '../tool.ts'
import { createComment, getComments } from './comments.ts'
import { createPages } from './create-pages.ts'
import { createDatabase, createView, updateDataSource, updateView } from './databases.ts'
import { fetchTool } from './fetch.ts'
import { listTools } from './lists.ts'
import { queryMeetingNotes } from './meeting-notes.ts'
import { duplicatePage, movePages } from './move-pages.ts'
import { NOT_ENABLED } from './not-enabled.ts'
import { getTeams, getUsers } from './people.ts'
import { queryDataSources } from './query.ts'
import { searchTool } from './search.ts'
import { testTools } from './test-tools.ts'
import { accessTo, getAsyncTask, getToolAccess } from './tool-access.ts'
import { updatePage } from './update-page.ts'

const TOOLS: readonly Tool[] = [
  searchTool,
  fetchTool,
  createPages,
  updatePage,
  movePages,
  duplicatePage,
  createDatabase,
  updateDataSource,
  createView,
  updateView,
  queryDataSources,
  queryMeetingNotes,
  createComment,
  getComments,
  getTeams,
  getUsers,
  ...listTools,
  getAsyncTask,
  getToolAccess,
  ...NOT_ENABLED,
]

/** The name in `get-tool-access`. */
export const shortName = (name: string): string => name.replace(/^notion-/, '')

/** The tools in `tools/list` for a workspace with this plan. */
export function listedTools({ toolList, testTools: withTestTools }: Options, plan: Plan): readonly Tool[] {
  const listed = TOOLS.filter(({ name }) => {
    if (toolList === 'all') return true
    if (toolList === 'by-plan') return accessTo(plan, shortName(name)).status === 'available'
    return toolList.includes(name)
  })
  return withTestTools ? [...listed, ...testTools] : listed
}

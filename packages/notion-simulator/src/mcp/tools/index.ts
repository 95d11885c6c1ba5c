import type { State } from '../../state.ts'
import type { Workspace } from '../../workspace/workspace.ts'
import type { Tool } from '../tool.ts'
import { fetchTool } from './fetch.ts'
import { searchTool } from './search.ts'

const TOOLS: readonly Tool[] = [searchTool, fetchTool]

/** The tools that `tools/list` shows for this workspace. */
export function listedTools(_state: State, _workspace: Workspace | undefined): readonly Tool[] {
  return TOOLS
}

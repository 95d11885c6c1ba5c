import { z } from 'zod'
import type { Plan } from '../../workspace/workspace.ts'
import { renderTask } from '../../workspace/tasks.ts'
import { notFound, tool } from '../tool.ts'
import { NOT_ENABLED } from './not-enabled.ts'

export type AccessStatus = { status: 'available' | 'plan_required' | 'not_enabled'; required_plan?: Plan }

const RANK: Record<Plan, number> = { free: 0, plus: 1, business: 2, enterprise: 3 }

/** The tools that need a larger plan. Notion documents them only in part. */
const NEEDED_PLAN: Record<string, Plan> = { 'query-data-sources': 'business', 'query-meeting-notes': 'business' }

/** Whether a workspace with this plan can use a tool, whose name is without `notion-`. */
export function accessTo(plan: Plan, name: string): AccessStatus {
  if (NOT_ENABLED.some((disabled) => disabled.name === `notion-${name}`)) return { status: 'not_enabled' }
  const needed = NEEDED_PLAN[name]
  return needed && RANK[plan] < RANK[needed]
    ? { status: 'plan_required', required_plan: needed }
    : { status: 'available' }
}

/** By name without `notion-`. */
export function accessMap(plan: Plan, names: readonly string[]): Record<string, AccessStatus> {
  return Object.fromEntries(names.map((name) => [name, accessTo(plan, name)]))
}

export const getToolAccess = tool({
  name: 'get-tool-access',
  title: 'See which tools can be used',
  kind: 'read',
  description: `
Tells for each tool whether it can be used in this workspace: \`available\`, \`plan_required\` with the plan, or \`not_enabled\`. All tools are
listed on every plan, so ask here when a tool answers that it may not be used. \`tool_names\` restricts the answer; unknown names are
left out.`,
  input: z.object({ tool_names: z.array(z.string()).optional().describe('With or without the prefix notion-.') }),
  run({ tool_names }, { viewer, toolNames }) {
    const requested = tool_names?.map((name) => name.replace(/^notion-/, ''))
    return accessMap(
      viewer.workspace.plan,
      requested ? requested.filter((name) => toolNames.includes(name)) : toolNames,
    )
  },
})

export const getAsyncTask = tool({
  name: 'get-async-task',
  title: 'See how a task goes',
  kind: 'read',
  description: `
Tells how work goes that another tool has started: \`queued\`, \`running\`, \`retrying\`, \`succeeded\` with its result, or \`failed\`. While it is
not finished, wait \`poll_after_seconds\` before you ask again.`,
  input: z.object({ task_id: z.string() }),
  run({ task_id }, { viewer }) {
    const task = viewer.workspace.tasks.get(task_id)
    if (!task) throw notFound('task', task_id)
    return renderTask(task, viewer.now)
  },
})

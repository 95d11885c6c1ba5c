import type { State } from '../../state.ts'
import type { Plan, Workspace } from '../../workspace/workspace.ts'

export type AccessStatus = {
  status: 'available' | 'available_with_limit' | 'plan_required' | 'not_enabled'
  plan?: Plan
}

const RANK: Record<Plan, number> = { free: 0, plus: 1, business: 2, enterprise: 3 }

/** What needs more than the smallest plan. Which tools these are is inferred; that there are some is documented. */
const NEEDED_PLAN: Record<string, Plan> = { 'query-data-sources': 'business', 'query-meeting-notes': 'business' }

/** What each tool is worth to this workspace, by its name without `notion-`. */
export function toolAccess(
  _state: State,
  workspace: Workspace,
  names: readonly string[] = [],
): Record<string, AccessStatus> {
  return Object.fromEntries(names.map((name) => [name, accessTo(workspace.plan, name)]))
}

export function accessTo(plan: Plan, name: string): AccessStatus {
  const needed = NEEDED_PLAN[name]
  return needed && RANK[plan] < RANK[needed] ? { status: 'plan_required', plan: needed } : { status: 'available' }
}

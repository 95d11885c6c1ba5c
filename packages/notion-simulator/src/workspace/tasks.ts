import { randomString } from '../secrets.ts'
import { SECOND } from '../clock.ts'
import type { Viewer } from './pages.ts'
import type { AsyncTask, Workspace } from './workspace.ts'

/** Duration of the simulated background work. */
const TASK_MS = 2 * SECOND

/** Starts a task that finishes two simulated seconds later; `finish` then does the work and returns the result. */
export function startTask(viewer: Viewer, operation: string, finish: () => unknown): AsyncTask {
  const id = `task_${randomString(12)}`
  const task: AsyncTask = { id, operation, createdAt: viewer.now, finishesAt: viewer.now + TASK_MS, finish }
  viewer.workspace.tasks.set(id, task)
  return task
}

/** Finishes the tasks that are due. */
export function finishDueTasks(workspace: Workspace, now: number): void {
  for (const task of workspace.tasks.values()) {
    if (!task.finish || task.finishesAt > now) continue
    task.result = task.finish()
    delete task.finish
  }
}

/** A task in the results of `get-async-task` and of tools that start one. */
export function renderTask(task: AsyncTask, now: number): Record<string, unknown> {
  const status = !task.finish ? 'succeeded' : now === task.createdAt ? 'queued' : 'running'
  return {
    object: 'async_task',
    id: task.id,
    status,
    status_url: `https://api.notion.com/v1/async_tasks/${task.id}`,
    created_time: new Date(task.createdAt).toISOString(),
    ...(status === 'succeeded' ? { result: task.result } : { poll_after_seconds: TASK_MS / SECOND }),
    operation: { surface: 'mcp', name: task.operation },
  }
}

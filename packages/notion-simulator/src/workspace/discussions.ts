import { nameOf, pageUrl, type Viewer } from './pages.ts'
import type { Discussion } from './workspace.ts'

const escapeText = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

export function discussionUrl({ pageId, blockId, id }: Discussion): string {
  return `discussion://${pageId}/${blockId}/${id}`
}

export function discussionsOf(viewer: Viewer, pageId: string, includeResolved: boolean): Discussion[] {
  return [...viewer.workspace.discussions.values()].filter(
    (discussion) => discussion.pageId === pageId && (includeResolved || !discussion.resolved),
  )
}

/** The `<discussions>` text of a page; with `only`, of one discussion. */
export function renderDiscussions(viewer: Viewer, pageId: string, includeResolved: boolean, only?: string): string {
  const all = discussionsOf(viewer, pageId, includeResolved)
  const shown = only === undefined ? all : all.filter(({ id }) => only.includes(id))
  const rendered = shown.map((discussion) => renderDiscussion(viewer, discussion)).join('')
  return `<discussions total-count="${all.length}" shown-count="${shown.length}">${rendered}</discussions>`
}

function renderDiscussion(viewer: Viewer, discussion: Discussion): string {
  const { comments, resolved, textContext } = discussion
  const kind = textContext === undefined ? 'page' : 'inline'
  const context = textContext === undefined ? '' : ` text-context="${escapeText(textContext)}"`
  const rendered = comments.map(
    ({ id, userId, at, text }) =>
      `<comment id="${id}" url="${pageUrl(viewer, discussion.pageId)}?d=${discussion.id.replaceAll('-', '')}" ` +
      `user-url="user://${userId}" user-name="${escapeText(nameOf(viewer.workspace, userId))}" ` +
      `datetime="${new Date(at).toISOString()}">${escapeText(text)}</comment>`,
  )
  return (
    `<discussion id="${discussionUrl(discussion)}" comment-count="${comments.length}" resolved="${resolved}" ` +
    `type="${kind}" context="${kind}"${context}>${rendered.join('')}</discussion>`
  )
}

import { nameOf, pageUrl, type Viewer } from './pages.ts'
import type { Discussion } from './workspace.ts'

const escapeText = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')

export function discussionUrl({ pageId, blockId, id }: Discussion): string {
  return `discussion://${pageId}/${blockId}/${id}`
}

export type DiscussionChoice = {
  includeResolved: boolean
  /** Without those on text selections. */
  onlyPageLevel: boolean
  /** Only this one, by id or URL. */
  only?: string | undefined
}

/** The `<discussions>` of a page. The total also counts discussions that are not included. */
export function renderDiscussions(viewer: Viewer, pageId: string, choice: DiscussionChoice): string {
  const all = [...viewer.workspace.discussions.values()].filter((discussion) => discussion.pageId === pageId)
  const visible = all.filter(({ resolved }) => choice.includeResolved || !resolved)
  const shown = visible.filter(
    ({ id, textContext }) =>
      (choice.only === undefined || choice.only.endsWith(id)) && !(choice.onlyPageLevel && textContext !== undefined),
  )
  const rendered = shown.map((discussion) => renderDiscussion(viewer, discussion)).join('')
  return `<discussions total-count="${visible.length}" shown-count="${shown.length}">${rendered}</discussions>`
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

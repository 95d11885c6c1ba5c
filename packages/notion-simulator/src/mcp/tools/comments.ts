import { z } from 'zod'
import { discussionUrl, renderDiscussions } from '../../workspace/discussions.ts'
import { findPage, type Viewer } from '../../workspace/pages.ts'
import { newId, type Discussion, type Page } from '../../workspace/workspace.ts'
import { notFound, tool, ToolError } from '../tool.ts'

const RichText = z.object({
  type: z.string().optional(),
  text: z.object({ content: z.string() }).loose().optional(),
  mention: z.object({}).loose().optional(),
})

export const createComment = tool({
  name: 'create-comment',
  title: 'Comment on a page',
  kind: 'write',
  description: `
Adds a comment to a page: to the page as a whole, to a piece of its text, or as an answer in a discussion.

Give the text as \`markdown\` or as \`rich_text\`, not both. \`selection_with_ellipsis\` names the piece of text by its beginning and its
end with three dots between ("# Before we…Support team briefed"), copied from the fetched content. \`discussion_id\`
(\`discussion://…\`, from \`notion-get-comments\`) answers there.`,
  input: z.object({
    page_id: z.string(),
    discussion_id: z.string().optional(),
    selection_with_ellipsis: z.string().optional(),
    rich_text: z.array(RichText).max(100).optional(),
    markdown: z.string().optional(),
  }),
  run(input, { viewer }) {
    const page = findPage(viewer, input.page_id)
    if (!page) throw notFound('page', input.page_id)
    const text = input.markdown ?? input.rich_text?.map((part) => part.text?.content ?? '').join('')
    if (!text || (input.markdown !== undefined && input.rich_text !== undefined)) {
      throw new ToolError('validation_error', 'Give the comment as rich_text or as markdown, and not empty.')
    }
    const discussion = input.discussion_id
      ? findDiscussion(viewer, page, input.discussion_id)
      : openDiscussion(viewer, page, input.selection_with_ellipsis)
    const comment = { id: newId(), userId: viewer.user.id, at: viewer.now, text }
    discussion.comments.push(comment)
    return { status: 'success', comment_id: comment.id, discussion_id: discussionUrl(discussion) }
  },
})

function findDiscussion(viewer: Viewer, page: Page, id: string): Discussion {
  const discussionId = id.split('/').at(-1) ?? ''
  const discussion = viewer.workspace.discussions.get(discussionId)
  if (!discussion || discussion.pageId !== page.id) throw notFound('discussion', id)
  return discussion
}

function openDiscussion(viewer: Viewer, page: Page, selection: string | undefined): Discussion {
  const discussion: Discussion = {
    id: newId(),
    pageId: page.id,
    blockId: selection === undefined ? page.id : newId(),
    resolved: false,
    ...(selection !== undefined && { textContext: findSelection(page, selection) }),
    comments: [],
  }
  viewer.workspace.discussions.set(discussion.id, discussion)
  return discussion
}

/** Finds the text from the start to the end of the selection; each must occur once, in this order. */
function findSelection(page: Page, selection: string): string {
  const [start = '', end = start, ...more] = selection.split(/\.\.\.|…/)
  const from = page.content.indexOf(start)
  const to = page.content.indexOf(end, from)
  if (!start || more.length > 0 || from < 0 || to < 0) {
    throw new ToolError('validation_error', 'selection_with_ellipsis does not match the content of the page.')
  }
  if (page.content.indexOf(start, from + 1) >= 0) {
    throw new ToolError(
      'validation_error',
      'selection_with_ellipsis matches more than once. Make its beginning longer.',
    )
  }
  return page.content.slice(from, to + end.length)
}

export const getComments = tool({
  name: 'get-comments',
  title: 'Read comments',
  kind: 'read',
  description: `
Reads the discussions on a page as XML: each with its comments, who wrote them and when, and the text they are attached to. Resolved
discussions are left out unless \`include_resolved\` is set; those on single blocks are included with \`include_all_blocks\`.`,
  input: z.object({
    page_id: z.string(),
    include_resolved: z.boolean().optional(),
    include_all_blocks: z.boolean().optional(),
    discussion_id: z.string().optional().describe('Only this discussion.'),
  }),
  run(input, { viewer }) {
    const page = findPage(viewer, input.page_id)
    if (!page) throw notFound('page', input.page_id)
    const options = {
      includeResolved: input.include_resolved ?? false,
      onlyPageLevel: !input.include_all_blocks && input.discussion_id === undefined,
      only: input.discussion_id,
    }
    return { text: renderDiscussions(viewer, page.id, options) }
  },
})

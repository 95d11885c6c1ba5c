import { z } from 'zod'
import { tool, ToolError, type Tool, type ToolKind } from '../tool.ts'

/** A tool that is listed, but not enabled for this workspace: every call returns an error. */
function notEnabled(name: string, title: string, kind: ToolKind, description: string, shape: z.ZodRawShape): Tool {
  return tool({
    name,
    title,
    kind,
    description,
    input: z.object(shape),
    run() {
      throw new ToolError('restricted_resource', `The tool notion-${name} is not enabled for this workspace.`)
    },
  })
}

const SessionUrl = z.string().describe('session://<space id>/<session id>')

export const NOT_ENABLED: readonly Tool[] = [
  notEnabled(
    'create-file-upload',
    'Begin a file upload',
    'write',
    'Begins the upload of a file of at most 20 MiB and answers with the URL to which its bytes are sent. Afterwards the upload can be attached to pages.',
    { filename: z.string(), content_type: z.string().optional() },
  ),
  notEnabled(
    'create-attachment',
    'Create an attachment',
    'write',
    'Makes a file that can be attached to pages: from text (at most 200 KiB), from a URL, or from an upload. Exactly one of these.',
    {
      filename: z.string(),
      content_type: z.string().optional(),
      content: z.string().optional(),
      source_url: z.string().optional(),
      source_file_id: z.string().optional(),
    },
  ),
  notEnabled(
    'download-attachment',
    'Read an attachment',
    'read',
    'Reads a text attachment of at most 200 KiB that was uploaded with this connection.',
    { file_upload_id: z.string() },
  ),
  notEnabled('download-skill', 'Read a skill', 'read', 'Reads a skill with all that belongs to it.', {
    id: z.string(),
  }),
  notEnabled(
    'search-skills',
    'Search skills',
    'read',
    'Finds skills, that is pages with instructions for agents. Without a query it lists those that the connected user can see.',
    { query: z.string().optional() },
  ),
  notEnabled(
    'update-folder',
    'Change a folder',
    'destructive',
    'Adds files or a subfolder to a folder, or removes files from it.',
    {
      folder_id: z.string(),
      command: z.enum(['add_files', 'remove_files', 'add_subfolder']),
      file_upload_ids: z.array(z.string()).optional(),
      file_urls: z.array(z.string()).optional(),
      title: z.string().optional(),
    },
  ),
  notEnabled(
    'search-agents',
    'Search agents',
    'read',
    'Finds custom agents among the favorites of the connected user or in the whole workspace.',
    {
      scope: z.enum(['favorites', 'workspace']),
      query: z.string().optional(),
      limit: z.number().int().min(1).max(200).optional(),
      cursor: z.string().optional(),
    },
  ),
  notEnabled(
    'spawn-session',
    'Start an agent',
    'write',
    'Starts a session with an agent and sends it the first message. The answer holds the URL of the session; the agent goes on working.',
    { agent_url: z.string().describe('agent://<space id>/<agent id>'), initial_message: z.string() },
  ),
  notEnabled('get-session-status', 'See how a session goes', 'read', 'Tells whether an agent is still working.', {
    session_url: SessionUrl,
  }),
  notEnabled(
    'wait-session',
    'Wait for a session',
    'read',
    'Waits for an agent to finish its turn, for less than a minute.',
    {
      session_url: SessionUrl,
    },
  ),
  notEnabled('stop-session', 'Stop a session', 'destructive', 'Stops an agent in the middle of its work.', {
    session_url: SessionUrl,
  }),
  notEnabled(
    'send-message-to-session',
    'Write to a session',
    'write',
    'Sends another message to an agent in a session that exists already.',
    { session_url: SessionUrl, message: z.string() },
  ),
  notEnabled(
    'list-session-events',
    'List what happened in a session',
    'read',
    'Lists messages and tool calls of a session, newest first or from a sequence number on.',
    {
      session_url: SessionUrl,
      count: z.number().int().min(1),
      before_sequence: z.number().int().optional(),
      after_sequence: z.number().int().optional(),
    },
  ),
  notEnabled('search-sessions', 'Search sessions', 'read', 'Finds earlier sessions that are about a question.', {
    question: z.string(),
    lookback: z.string().optional(),
  }),
]

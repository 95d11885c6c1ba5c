/**
 * The tools of Notion that are known to change nothing, each with the reason. What is not here may change something: Notion adds tools
 * without notice, and what a tool says of itself (`readOnlyHint`) is a hint, not a promise. A tool that starts or steers something
 * (an agent's session, an export) is no reading tool even if its answer is one.
 */
const READ_ONLY = new Map([
  ['notion-search', 'finds content'],
  ['notion-ai-search', 'finds content; hidden, but callable'],
  ['notion-fetch', 'returns a page, database, data source or file as it is'],
  ['notion-get-async-task', 'tells how far a task is that another tool began'],
  ['notion-get-comments', 'returns the discussions of a page'],
  ['notion-get-session-status', "tells how far an agent's session is"],
  ['notion-get-suggested-edit', 'returns an edit that somebody suggested; accepting it is another tool'],
  ['notion-get-teams', 'lists teamspaces'],
  ['notion-get-tool-access', 'tells which tools the plan includes'],
  ['notion-get-users', 'lists people'],
  ['notion-list-agents', 'lists agents'],
  ['notion-list-favorite-pages', 'lists pages'],
  ['notion-list-private-pages', 'lists pages'],
  ['notion-list-recent-pages', 'lists pages'],
  ['notion-list-shared-pages', 'lists pages'],
  ['notion-list-session-events', "lists what happened in an agent's session"],
  ['notion-read-session-event', "returns one event of an agent's session"],
  ['notion-query-data-sources', 'selects rows, by SQL, view or filter; rows and columns are changed by other tools'],
  ['notion-query-multiple-data-sources', 'selects rows of several data sources'],
  ['notion-query-database-view', 'selects rows; the older form of notion-query-data-sources'],
  ['notion-query-meeting-notes', 'finds meeting notes'],
  ['notion-query-sessions', "finds agents' sessions"],
  ['notion-search-agents', 'finds agents'],
  ['notion-search-sessions', "finds agents' sessions"],
  ['notion-search-skills', 'finds skills'],
  ['notion-download-attachment', 'returns the text of an attachment'],
  ['notion-download-skill', 'returns a skill'],
])

/** Whether a tool is known to change nothing. */
export function isReadOnlyTool(name: string): boolean {
  return READ_ONLY.has(name)
}

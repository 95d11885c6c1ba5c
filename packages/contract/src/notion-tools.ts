/**
 * Notion's tools that are known to be read-only, each with the reason. All others may change something: Notion adds tools without notice, and a
 * tool's own `readOnlyHint` is not reliable. A tool that starts or controls something (an agent's session, an export) is not read-only, even if it
 * only returns text.
 */
const READ_ONLY = new Map([
  ['notion-search', 'finds content'],
  ['notion-ai-search', 'finds content; hidden, but callable'],
  ['notion-fetch', 'returns a page, database, data source or file as it is'],
  ['notion-get-async-task', 'returns the progress of a task that another tool started'],
  ['notion-get-comments', 'returns the discussions of a page'],
  ['notion-get-session-status', "returns the progress of an agent's session"],
  ['notion-get-suggested-edit', 'returns a suggested edit; accepting it is another tool'],
  ['notion-get-teams', 'lists teamspaces'],
  ['notion-get-tool-access', 'lists the tools that the plan includes'],
  ['notion-get-users', 'lists people'],
  ['notion-list-agents', 'lists agents'],
  ['notion-list-favorite-pages', 'lists pages'],
  ['notion-list-private-pages', 'lists pages'],
  ['notion-list-recent-pages', 'lists pages'],
  ['notion-list-shared-pages', 'lists pages'],
  ['notion-list-session-events', "lists the events of an agent's session"],
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

/** True if the tool is known to be read-only. */
export function isReadOnlyTool(name: string): boolean {
  return READ_ONLY.has(name)
}

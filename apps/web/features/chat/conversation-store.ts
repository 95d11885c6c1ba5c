import 'server-only'
import type { PoolClient } from 'pg'
import { SCHEMA, transaction } from '@/lib/database.ts'
import { isManager, isMember, type SpaceMember } from '@/lib/membership.ts'
import { Failure } from '@/lib/failure.ts'
import type { App } from '@/lib/runtime.ts'
import { MESSAGE_FORMAT, textOf, type ChatMessage } from './chat-message.ts'
import type { ConversationPage, ConversationSummary, MessagePage, Visibility } from './conversation.ts'

/** A conversation that a member may read. */
export interface Conversation extends ConversationSummary {
  readonly spaceId: string
  readonly ownerId: string
  readonly model: string | null
  /** Write tools that the owner has approved for the whole conversation. */
  readonly alwaysAllowed: readonly string[]
  /** Another one after each change of the conversation or of its messages. */
  readonly revision: string
}

interface ConversationRow {
  id: string
  space_id: string
  owner_id: string
  owner_name: string
  title: string
  visibility: Visibility
  model: string | null
  always_allowed: string[]
  updated_at: Date
  revision: string
}

const COLUMNS = `conversation.id, conversation.space_id, conversation.owner_id, users.name as owner_name, conversation.title,
  conversation.visibility, conversation.model, conversation.always_allowed, conversation.updated_at,
  conversation.xmin::text as revision`
const FROM = `${SCHEMA}.conversation join ${SCHEMA}."user" users on users.id = conversation.owner_id`

const PAGE = 30

/** As precise as a cursor can say it, so that no conversation falls between two pages. */
const NOW = `date_trunc('milliseconds', now())`

const isUuid = (text: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)

/**
 * One page of what the member may read, newest first: their own conversations, and those that others share with the space. Both are
 * read along an index from where the last page ended, so a page costs the same however many there are.
 */
export async function listConversations(
  app: App<'pool'>,
  member: SpaceMember,
  before?: string,
): Promise<ConversationPage> {
  const [updatedAt, id] = cursorParts(before)
  const older = `($3::timestamptz is null or (conversation.updated_at, conversation.id) < ($3, $4::uuid))`
  const newest = `order by conversation.updated_at desc, conversation.id desc limit ${PAGE + 1}`
  const { rows } = await app.pool.query<ConversationRow>(
    `(select ${COLUMNS} from ${FROM} where conversation.space_id = $1 and conversation.owner_id = $2 and ${older} ${newest})
     union all
     (select ${COLUMNS} from ${FROM}
      where conversation.space_id = $1 and conversation.visibility = 'space' and conversation.owner_id <> $2 and ${older} ${newest})
     order by updated_at desc, id desc limit ${PAGE + 1}`,
    [member.space.id, member.user.id, updatedAt, id],
  )
  return pageOf(rows, member)
}

/** Conversations that the member may read and in whose title or messages all words occur, newest first. */
export async function searchConversations(
  app: App<'pool'>,
  member: SpaceMember,
  words: string,
): Promise<ConversationPage> {
  const query = prefixQuery(words)
  if (query === '') return listConversations(app, member)
  const { rows } = await app.pool.query<ConversationRow>(
    `select ${COLUMNS} from ${FROM}
     where conversation.space_id = $1 and (conversation.owner_id = $2 or conversation.visibility = 'space')
       and (to_tsvector('simple', conversation.title) @@ to_tsquery('simple', $3)
         or exists (select 1 from ${SCHEMA}.chat_message message
                    where message.conversation_id = conversation.id and message.words @@ to_tsquery('simple', $3)))
     order by conversation.updated_at desc, conversation.id desc limit ${PAGE}`,
    [member.space.id, member.user.id, query],
  )
  return { conversations: rows.map((row) => publicSummary(summary(row, member))) }
}

/** Each word as the beginning of a word. Only letters and digits are left, so that nothing of it is an operator. */
const prefixQuery = (words: string): string =>
  (words.match(/[\p{L}\p{N}]+/gu) ?? [])
    .slice(0, 10)
    .map((word) => `${word}:*`)
    .join(' & ')

function pageOf(rows: readonly ConversationRow[], member: SpaceMember): ConversationPage {
  const conversations = rows.slice(0, PAGE).map((row) => publicSummary(summary(row, member)))
  const last = conversations.at(-1)
  return rows.length > PAGE && last ? { conversations, next: `${last.updatedAt}_${last.id}` } : { conversations }
}

function cursorParts(cursor: string | undefined): [string | null, string | null] {
  if (cursor === undefined) return [null, null]
  const [updatedAt = '', id = ''] = cursor.split('_')
  if (!isTimestamp(updatedAt) || !isUuid(id)) {
    throw new Failure('invalid_request', 'The cursor isn’t valid. Start with the first page.')
  }
  return [updatedAt, id]
}

/** As {@link pageOf} writes it: what else JavaScript takes for a date, PostgreSQL does not. */
const isTimestamp = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) &&
  !Number.isNaN(Date.parse(text)) &&
  new Date(text).toISOString() === text

const summary = (row: ConversationRow, member: SpaceMember): Conversation => ({
  id: row.id,
  spaceId: row.space_id,
  ownerId: row.owner_id,
  ownerName: row.owner_name,
  title: row.title,
  visibility: row.visibility,
  isMine: row.owner_id === member.user.id,
  model: row.model,
  alwaysAllowed: row.always_allowed,
  updatedAt: row.updated_at.toISOString(),
  revision: row.revision,
})

/** What of a conversation may leave the server. */
export const publicSummary = ({ id, title, visibility, isMine, ownerName, updatedAt }: Conversation) =>
  ({ id, title, visibility, isMine, ownerName, updatedAt }) satisfies ConversationSummary

/**
 * A conversation that the member may read: their own, or one that is shared with the space.
 *
 * @throws {Failure} `not_found`, also for private conversations of other users.
 */
export async function readConversation(app: App<'pool'>, member: SpaceMember, id: string): Promise<Conversation> {
  const found = await findConversation(app, member, id)
  if (!found) throw new Failure('not_found', 'This conversation doesn’t exist or isn’t shared with you.')
  return found
}

export async function findConversation(
  app: App<'pool'>,
  member: SpaceMember,
  id: string,
): Promise<Conversation | undefined> {
  if (!isUuid(id)) return undefined
  const { rows } = await app.pool.query<ConversationRow>(
    `select ${COLUMNS} from ${FROM}
     where conversation.id = $1 and conversation.space_id = $2 and (conversation.owner_id = $3 or conversation.visibility = 'space')`,
    [id, member.space.id, member.user.id],
  )
  return rows[0] && summary(rows[0], member)
}

/** @throws {Failure} `not_found`, `forbidden_conversation` */
export async function ownConversation(app: App<'pool'>, member: SpaceMember, id: string): Promise<Conversation> {
  const found = await readConversation(app, member, id)
  if (!found.isMine) {
    throw new Failure(
      'forbidden_conversation',
      `Only ${found.ownerName} can continue or change this conversation. Start your own.`,
    )
  }
  return found
}

/** True if the user is still a member and may read the conversation; polled while a stream is read. */
export async function mayStillRead(app: App<'pool'>, member: SpaceMember, conversationId: string): Promise<boolean> {
  const { rows } = await app.pool.query(
    `select 1 from ${SCHEMA}.conversation
     where id = $1 and (owner_id = $2 or visibility = 'space') and ${isMember('space_id', '$2')}`,
    [conversationId, member.user.id],
  )
  return rows.length > 0
}

/** Changes the title or visibility. Owners and admins of the space may also unshare other members' conversations. */
export async function changeConversation(
  app: App<'pool'>,
  member: SpaceMember,
  id: string,
  change: { readonly title?: string | undefined; readonly visibility?: Visibility | undefined },
): Promise<Conversation> {
  const found = await readConversation(app, member, id)
  const onlyUnshares = change.title === undefined && change.visibility === 'private'
  if (!found.isMine && !(onlyUnshares && isManager(member.space.role))) await ownConversation(app, member, id)
  await app.pool.query(
    `update ${SCHEMA}.conversation
     set title = coalesce($2, title), titled_by = case when $2::text is null then titled_by else 'person' end,
         visibility = coalesce($3, visibility)
     where id = $1`,
    [id, change.title ?? null, change.visibility ?? null],
  )
  return {
    ...found,
    ...(change.title && { title: change.title }),
    ...(change.visibility && { visibility: change.visibility }),
  }
}

/** The model's title; one that a user gave stays. */
export async function titleByModel(app: App<'pool'>, id: string, title: string): Promise<void> {
  await app.pool.query(
    `update ${SCHEMA}.conversation set title = $2, titled_by = 'model' where id = $1 and titled_by = 'start'`,
    [id, title],
  )
}

export async function deleteConversation(app: App<'pool'>, member: SpaceMember, id: string): Promise<void> {
  const found = await readConversation(app, member, id)
  if (!found.isMine && !isManager(member.space.role)) await ownConversation(app, member, id)
  await app.pool.query(`delete from ${SCHEMA}.conversation where id = $1`, [id])
}

const MESSAGES_PAGE = 40

interface MessageRow {
  position: number
  id: string
  role: 'user' | 'assistant'
  parts: ChatMessage['parts']
  metadata: NonNullable<ChatMessage['metadata']>
}

const toMessage = ({ id, role, parts, metadata }: MessageRow): ChatMessage => ({ id, role, parts, metadata })

/** The newest messages, or those before a position. */
export async function readMessages(app: App<'pool'>, conversationId: string, before?: number): Promise<MessagePage> {
  const { rows } = await app.pool.query<MessageRow>(
    `select position, id, role, parts, metadata from ${SCHEMA}.chat_message
     where conversation_id = $1 and ($2::int is null or position < $2)
     order by position desc limit ${MESSAGES_PAGE + 1}`,
    [conversationId, before ?? null],
  )
  const shown = rows.slice(0, MESSAGES_PAGE).toReversed()
  const first = shown[0]
  const messages = shown.map(toMessage)
  return rows.length > MESSAGES_PAGE && first ? { messages, before: first.position } : { messages }
}

/** Runs `work` in a transaction that locks the conversation. */
export const changingMessages = <T>(
  { pool }: App<'pool'>,
  conversationId: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> =>
  transaction(pool, async (client) => {
    await client.query(`select 1 from ${SCHEMA}.conversation where id = $1 for update`, [conversationId])
    return work(client)
  })

/** Makes a conversation of this id, or finds the member's own. */
export async function openConversation(
  app: App<'pool'>,
  member: SpaceMember,
  id: string,
  title: string,
): Promise<Conversation> {
  await app.pool.query(
    `insert into ${SCHEMA}.conversation (id, space_id, owner_id, title, updated_at)
     values ($1, $2, $3, $4, ${NOW}) on conflict (id) do nothing`,
    [id, member.space.id, member.user.id, title],
  )
  return ownConversation(app, member, id)
}

/** The newest messages for the model's context, oldest first, with their positions. */
export async function recentMessages(client: Pick<PoolClient, 'query'>, conversationId: string) {
  const { rows } = await client.query<MessageRow>(
    `select position, id, role, parts, metadata from ${SCHEMA}.chat_message
     where conversation_id = $1 order by position desc limit 60`,
    [conversationId],
  )
  return rows.toReversed().map((row) => ({ position: row.position, message: toMessage(row) }))
}

/** Whether a message of this id was stored before: a browser that does not know sends it again. */
export async function hasMessage(
  client: Pick<PoolClient, 'query'>,
  conversationId: string,
  messageId: string,
): Promise<boolean> {
  const { rows } = await client.query(
    `select 1 from ${SCHEMA}.chat_message where conversation_id = $1 and id = $2 limit 1`,
    [conversationId, messageId],
  )
  return rows.length > 0
}

/** Writes a message at its place; one that is there already is replaced. */
export async function putMessage(
  client: Pick<PoolClient, 'query'>,
  conversationId: string,
  position: number,
  { id, role, parts, metadata }: ChatMessage,
): Promise<void> {
  await client.query(
    `with touched as (update ${SCHEMA}.conversation set updated_at = ${NOW} where id = $1 returning id)
     insert into ${SCHEMA}.chat_message (conversation_id, position, id, role, format, parts, metadata, words)
     select touched.id, $2, $3, $4, ${MESSAGE_FORMAT}, $5::jsonb, $6::jsonb, to_tsvector('simple', $7) from touched
     on conflict (conversation_id, position) do update
     set id = excluded.id, parts = excluded.parts, metadata = excluded.metadata, words = excluded.words`,
    [
      conversationId,
      position,
      id,
      role,
      storable(parts),
      storable(metadata ?? {}),
      // A tsvector holds at most 1 MB, so index only the beginning.
      textOf({ parts }).slice(0, 100_000).replaceAll('\0', ''),
    ],
  )
}

/** PostgreSQL has no place in its JSON for the character NUL and for halves of characters; tools may send both. */
export const storable = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/(\\+)u(?:0000|d[89a-f][0-9a-f]{2})/g, (found, slashes: string) =>
    slashes.length % 2 === 0 ? found : `${slashes.slice(1)}\\ufffd`,
  )

export async function removeMessagesFrom(
  client: Pick<PoolClient, 'query'>,
  conversationId: string,
  position: number,
): Promise<void> {
  await client.query(`delete from ${SCHEMA}.chat_message where conversation_id = $1 and position >= $2`, [
    conversationId,
    position,
  ])
}

export async function allowAlways(client: PoolClient, conversationId: string, tool: string): Promise<void> {
  await client.query(
    `update ${SCHEMA}.conversation set always_allowed = array_append(always_allowed, $2)
     where id = $1 and not always_allowed @> array[$2]`,
    [conversationId, tool],
  )
}

export async function chooseModel(app: App<'pool'>, conversationId: string, model: string): Promise<void> {
  await app.pool.query(`update ${SCHEMA}.conversation set model = $2 where id = $1 and model is distinct from $2`, [
    conversationId,
    model,
  ])
}

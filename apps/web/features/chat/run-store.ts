import 'server-only'
import type { PoolClient } from 'pg'
import { SCHEMA } from '@/lib/database.ts'
import { Failure } from '@/lib/failure.ts'
import { isMember } from '@/lib/membership.ts'
import type { App } from '@/lib/runtime.ts'
import { applyChunk } from './apply-chunk.ts'
import type { ChatChunk, ChatMessage } from './chat-message.ts'
import { finishMessage } from './finish-message.ts'
import { changingMessages, putMessage, recentMessages, storable } from './conversation-store.ts'

/** Age of the last heartbeat after which a run counts as abandoned. */
const SILENCE_SECONDS = 15

/** How long chunks are kept after a run ends, for readers that lag behind. */
const KEEP_ENDED_SECONDS = 60

const UNIQUE_VIOLATION = '23505'

/**
 * Starts a run in a conversation. Only one may be active across all replicas.
 *
 * @throws {Failure} `answering`
 */
export async function insertRun(
  client: PoolClient,
  run: { id: string; conversationId: string; messageId: string; userId: string },
): Promise<void> {
  try {
    await client.query(
      `insert into ${SCHEMA}.chat_answer (id, conversation_id, message_id, person_id) values ($1, $2, $3, $4)`,
      [run.id, run.conversationId, run.messageId, run.userId],
    )
  } catch (error) {
    if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error
    throw new Failure(
      'answering',
      'An answer is already being written in this conversation. Wait for it, or stop it.',
      {
        cause: error,
      },
    )
  }
}

/** Keeps the pieces for readers elsewhere. */
export async function putChunks(
  app: App<'pool'>,
  runId: string,
  position: number,
  chunks: readonly ChatChunk[],
): Promise<void> {
  await app.pool.query(
    `insert into ${SCHEMA}.chat_answer_chunk (answer_id, position, chunks)
     select $1, $2, $3::jsonb where exists (select 1 from ${SCHEMA}.chat_answer where id = $1)`,
    [runId, position, storable(chunks)],
  )
}

export type Heartbeat = 'go_on' | 'stop' | 'no_access'

/** Records a heartbeat and returns whether the run should continue. */
export async function heartbeat(app: App<'pool'>, runId: string): Promise<Heartbeat> {
  const { rows } = await app.pool.query<{ stop_requested: boolean; is_member: boolean }>(
    `update ${SCHEMA}.chat_answer answer set alive_at = now()
     from ${SCHEMA}.conversation
     where answer.id = $1 and answer.ended_at is null and conversation.id = answer.conversation_id
     returning answer.stop_requested,
       ${isMember('conversation.space_id', 'answer.person_id')} as is_member`,
    [runId],
  )
  const [row] = rows
  // Without a row, the conversation was deleted, or another process believed this one dead.
  if (!row || row.stop_requested) return 'stop'
  return row.is_member ? 'go_on' : 'no_access'
}

/** Stores the message and ends the run. False if the run had already ended. */
export async function finishRun(
  app: App<'pool'>,
  run: { id: string; conversationId: string; position: number },
  message: ChatMessage,
): Promise<boolean> {
  return changingMessages(app, run.conversationId, async (client) => {
    const { rowCount } = await client.query(
      `update ${SCHEMA}.chat_answer set ended_at = now() where id = $1 and ended_at is null`,
      [run.id],
    )
    if (rowCount === 0) return false
    await putMessage(client, run.conversationId, run.position, message)
    return true
  })
}

export async function deleteFinishedRuns(app: App<'pool'>): Promise<void> {
  await app.pool.query(
    `delete from ${SCHEMA}.chat_answer where ended_at < now() - interval '${KEEP_ENDED_SECONDS} seconds'`,
  )
}

export interface ActiveRun {
  readonly id: string
  readonly messageId: string
}

/** The active run. An abandoned run is ended first, with its output so far. */
export async function activeRun(app: App<'pool'>, conversationId: string): Promise<ActiveRun | undefined> {
  const { rows } = await app.pool.query<{ id: string; message_id: string; is_silent: boolean }>(
    `select id, message_id, alive_at < now() - interval '${SILENCE_SECONDS} seconds' as is_silent
     from ${SCHEMA}.chat_answer where conversation_id = $1 and ended_at is null`,
    [conversationId],
  )
  const [row] = rows
  if (!row) return undefined
  if (!row.is_silent) return { id: row.id, messageId: row.message_id }
  await recover(app, { id: row.id, messageId: row.message_id }, conversationId)
  return undefined
}

async function recover(app: App<'pool'>, { id, messageId }: ActiveRun, conversationId: string): Promise<void> {
  const chunks = await readChunks(app, id, -1)
  const known = await recentMessages(app.pool, conversationId)
  const last = known.at(-1)
  const isContinued = last?.message.id === messageId
  const begun: ChatMessage = isContinued ? last.message : { id: messageId, role: 'assistant', parts: [], metadata: {} }
  const written = chunks.flatMap((row) => row.chunks).reduce(applyChunk, begun)
  const position = isContinued ? last.position : (last?.position ?? -1) + 1
  await finishRun(app, { id, conversationId, position }, finishMessage(written, { kind: 'interrupted' }))
}

/** Requests the process of the active run to stop it. */
export async function requestStop(app: App<'pool'>, conversationId: string): Promise<void> {
  await app.pool.query(
    `update ${SCHEMA}.chat_answer set stop_requested = true where conversation_id = $1 and ended_at is null`,
    [conversationId],
  )
}

export async function readChunks(
  app: App<'pool'>,
  runId: string,
  after: number,
): Promise<readonly { position: number; chunks: readonly ChatChunk[] }[]> {
  const { rows } = await app.pool.query<{ position: number; chunks: ChatChunk[] }>(
    `select position, chunks from ${SCHEMA}.chat_answer_chunk where answer_id = $1 and position > $2 order by position`,
    [runId, after],
  )
  return rows
}

export async function hasEnded(app: App<'pool'>, runId: string): Promise<boolean> {
  const { rows } = await app.pool.query(
    `select 1 from ${SCHEMA}.chat_answer
     where id = $1 and ended_at is null and alive_at > now() - interval '${SILENCE_SECONDS} seconds'`,
    [runId],
  )
  return rows.length === 0
}

import { createHash } from 'node:crypto'
import type { McpSessions, SessionOwner } from '../../ports.ts'
import type { Sql } from './database.ts'

/** How many owners are kept in memory; an id that fell out costs one read. */
const REMEMBERED = 50_000

const hash = (sessionId: string) => createHash('sha256').update(sessionId).digest()

/** Owners never change, so what is in memory stays true; only a `forget` on another replica can outlive it, and upstream then says 404 itself. */
export function postgresMcpSessions(sql: Sql): McpSessions {
  const owners = new Map<string, SessionOwner>()
  const keep = (sessionId: string, owner: SessionOwner) => {
    owners.set(sessionId, owner)
    if (owners.size > REMEMBERED) owners.delete(owners.keys().next().value as string)
    return owner
  }
  const load = async (sessionId: string): Promise<SessionOwner | undefined> => {
    const { rows } = await sql.query<{ space_id: string; user_id: string }>(
      'select space_id, user_id from gateway.mcp_sessions where id_hash = $1',
      [hash(sessionId)],
    )
    return rows[0] && keep(sessionId, { spaceId: rows[0].space_id, userId: rows[0].user_id })
  }

  return {
    async remember(sessionId, owner) {
      if (owners.has(sessionId)) return
      // The first owner stays: an id that upstream gives out twice does not change hands.
      await sql.query(
        'insert into gateway.mcp_sessions (id_hash, space_id, user_id) values ($1, $2, $3) on conflict do nothing',
        [hash(sessionId), owner.spaceId, owner.userId],
      )
      await load(sessionId)
    },
    owner: (sessionId) => owners.get(sessionId) ?? load(sessionId),
    async forget(sessionId) {
      owners.delete(sessionId)
      await sql.query('delete from gateway.mcp_sessions where id_hash = $1', [hash(sessionId)])
    },
  }
}

/** MCP sessions older than this are dropped; upstream ends idle ones long before. */
const SESSION_LIFE_DAYS = 30

export async function sweepMcpSessions(sql: Sql): Promise<void> {
  await sql.query(`delete from gateway.mcp_sessions where created_at < now() - make_interval(days => $1)`, [
    SESSION_LIFE_DAYS,
  ])
}

import { createHash } from 'node:crypto'
import { BoundedMap } from '../platform/bounded-map.ts'
import type { McpSessions, SessionOwner } from './mcp-sessions.ts'
import type { Sql } from '../platform/database.ts'

/** How many owners are kept in memory; an id that fell out costs one read. */
const REMEMBERED = 50_000

const hash = (sessionId: string) => createHash('sha256').update(sessionId).digest()

/** Owners never change, so what is in memory stays true; only a `forget` on another replica can outlive it, and upstream then says 404 itself. */
export function postgresMcpSessions(sql: Sql): McpSessions {
  const owners = new BoundedMap<string, SessionOwner>(REMEMBERED)
  const keep = (sessionId: string, owner: SessionOwner) => {
    owners.set(sessionId, owner)
    return owner
  }
  const load = async (sessionId: string): Promise<SessionOwner | undefined> => {
    const { rows } = await sql.query<{ space_id: string; user_id: string; client: string }>(
      'select space_id, user_id, client from gateway.mcp_sessions where id_hash = $1',
      [hash(sessionId)],
    )
    const [row] = rows
    return row && keep(sessionId, { spaceId: row.space_id, userId: row.user_id, client: row.client || undefined })
  }

  return {
    async remember(sessionId, owner) {
      if (owners.has(sessionId)) return
      // The first owner stays: an id that upstream gives out twice does not change hands.
      await sql.query(
        `insert into gateway.mcp_sessions (id_hash, space_id, user_id, client) values ($1, $2, $3, $4)
         on conflict do nothing`,
        [hash(sessionId), owner.spaceId, owner.userId, owner.client ?? ''],
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

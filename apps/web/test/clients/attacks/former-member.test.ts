/** Whoever is removed takes nothing along that was begun before. */
import { once } from 'node:events'
import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { invite, type UserClient } from '@/test/support/user.ts'
import { clientsScene } from '@/test/clients/clients.ts'

const on = clientsScene()
let people = 0

async function newMember(): Promise<UserClient> {
  const member = await on().newUser(`Former${++people}`)
  await invite(on().ada, member, 'member')
  return member
}

describe('a key created while its user is removed', () => {
  it('is deleted', async () => {
    const member = await newMember()
    await on().database.query(`
      create function gateway.remove_meanwhile() returns trigger language plpgsql as $$
      begin
        delete from web.member where "userId"::text = new.user_id and "organizationId"::text = new.space_id;
        return new;
      end $$;
      create trigger remove_meanwhile before insert on gateway.access_keys
      for each row when (new.user_id = '${member.id}') execute function gateway.remove_meanwhile()`)
    const made = await member.post(`/api/spaces/${on().ada.spaceId}/keys`, {
      name: 'A key',
      scope: 'notion:write',
      days: 0,
    })
    expect([made.status, await made.json()]).toEqual([403, expect.objectContaining({ code: 'forbidden_space' })])
    const { rowCount } = await on().database.query('select from gateway.access_keys where user_id = $1', [member.id])
    expect(rowCount).toBe(0)
  })
})

describe('a call prepared by a member', () => {
  it('does not reach Notion if completed after the removal', async () => {
    const member = await newMember()
    const spaceId = on().ada.spaceId
    const call = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'notion-create-pages', arguments: { pages: [{ properties: { title: 'Prepared' } }] } },
    })
    on().product.simulator.clearRecorded()
    const held = request(`${on().webUrl}/api/mcp?spaceId=${spaceId}`, {
      method: 'POST',
      headers: {
        origin: on().webUrl,
        cookie: [...member.cookies()].map(([name, value]) => `${name}=${value}`).join('; '),
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'content-length': Buffer.byteLength(call),
      },
    })
    held.write(call.slice(0, -1))
    // Long enough that its beginning was let through, when there was still a member.
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect((await on().ada.fetch(`/api/spaces/${spaceId}/members/${member.id}`, { method: 'DELETE' })).ok).toBe(true)
    held.end(call.slice(-1))
    const [response] = (await once(held, 'response')) as [{ statusCode: number; resume(): void }]
    response.resume()
    expect(response.statusCode).toBe(403)
    expect(on().product.simulator.recorded.mcpRequests).toEqual([])
  })
})

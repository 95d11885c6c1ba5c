import { testDatabase } from '@nmg/process/testing'
import { expect, it } from 'vitest'
import { makeTables } from '@/lib/auth.ts'
import { openPool } from '@/lib/database.ts'
import { sweepSessions } from '@/lib/sweep-sessions.ts'

it('removes expired sessions and verifications in batches, and no others', async () => {
  const pool = openPool((await testDatabase()).url)
  try {
    const options = {
      pool,
      webUrl: 'http://localhost',
      secret: 'a secret of this test, which signs nothing',
      trustedProxies: [],
      gatewayPublicUrl: 'http://localhost',
      accessTokenSeconds: 900,
      providers: { offered: [], oidc: undefined, social: {} },
      sendMail: undefined,
    }
    await makeTables(options, [])
    await pool.query(
      `with ada as (
         insert into web."user" (id, name, email, "emailVerified", "createdAt", "updatedAt")
         values (gen_random_uuid(), 'Ada', 'ada@example.test', false, now(), now()) returning id)
       insert into web.session (id, "userId", token, "expiresAt", "createdAt", "updatedAt")
         select gen_random_uuid(), ada.id, 'token-' || n, now() + (n - 1500) * interval '1 minute', now(), now() from ada, generate_series(1, 1510) n`,
    )
    await pool.query(
      `insert into web.verification (id, identifier, value, "expiresAt", "createdAt", "updatedAt")
         select gen_random_uuid(), 'v' || n, 'v', now() + (n - 2) * interval '1 minute', now(), now() from generate_series(1, 3) n`,
    )
    expect(await sweepSessions(pool)).toBe(1502)
    const { rows } = await pool.query(
      `select (select count(*)::int from web.session) as sessions, (select count(*)::int from web.verification) as verifications`,
    )
    expect(rows).toEqual([{ sessions: 10, verifications: 1 }])
  } finally {
    await pool.end()
  }
})

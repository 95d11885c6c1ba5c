import { Client } from 'pg'

/** A test does within seconds what the limits spread over minutes. */
export async function forgetLimits(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query('delete from web.limit_use')
  await client.end()
}

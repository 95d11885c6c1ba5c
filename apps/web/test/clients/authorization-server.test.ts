/** The web app as the authorization server of the gateway's MCP endpoints. */
import { testDatabase } from '@nmg/process/testing'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newPerson, type PersonClient } from '../../e2e/person.ts'
import { startProduct, type Product } from '../../e2e/product.ts'
import { decide, logIn, metadataOf, open, registerClient, type Tokens } from './client-person.ts'

let product: Product
let ada: PersonClient
let resource: string

beforeAll(async () => {
  const { url } = await testDatabase()
  product = await startProduct({ DATABASE_URL: url })
  ada = await newPerson(product.webUrl, { name: 'Ada', email: 'ada@north.test', password: 'a-good-password' })
  resource = `${product.gatewayUrl}/mcp/notion/spaces/${ada.spaceId}`
})
afterAll(() => product?.stop())

describe('a client that logs in', () => {
  it('gets tokens', async () => {
    const client = await registerClient(product.webUrl)
    const tokens = await logIn(ada, client, resource)
    console.log(decodeProtectedHeader(tokens.access_token), decodeJwt(tokens.access_token), { ...tokens })
    const listed = await fetch(resource, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tokens.access_token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    })
    console.log(listed.status, await listed.text())
    const [one, two] = await Promise.all([client.refresh(tokens.refresh_token), client.refresh(tokens.refresh_token)])
    console.log(one.status, two.status, await one.text(), await two.text())
  })
})

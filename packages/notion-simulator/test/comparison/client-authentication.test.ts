import { describe, it } from 'vitest'
import { type Json, postToken } from '../client.ts'
import {
  BAD_CLIENT,
  BAD_REQUEST,
  basic,
  clientOf,
  codeOf,
  compare,
  type Fields,
  GRANTED,
  type Outcome,
} from './compare.ts'

const PUBLIC = { token_endpoint_auth_method: 'none' }
const BASIC = { token_endpoint_auth_method: 'client_secret_basic' }
const POST = { token_endpoint_auth_method: 'client_secret_post' }
const UNNAMED = { token_endpoint_auth_method: undefined }

// Placeholders for the client's id and secret.
const client_id = '<id>'
const client_secret = '<secret>'
const right = basic(client_id, client_secret)

/** A code exchange with `form` and `header` as the client's credentials. */
async function compareCredentials(metadata: Json, form: Fields, header: Partial<typeof right>, expected: Outcome) {
  await compare(async (server) => {
    const client = await clientOf(server, metadata)
    const filledIn = (text: string) =>
      text.replace(client_id, client.client_id).replace(client_secret, client.client_secret)
    const { authorization } = header
    const [scheme, encoded = ''] = authorization?.split(' ') ?? []
    const credentials = Buffer.from(filledIn(Buffer.from(encoded, 'base64').toString())).toString('base64')
    const code = await codeOf(server, client)
    const given = JSON.parse(filledIn(JSON.stringify(form))) as Fields
    return postToken(
      server,
      { ...code, client_id: null, ...given },
      authorization === undefined ? {} : { authorization: `${scheme} ${credentials}` },
    )
  }, expected)
}

describe('client authentication', () => {
  it.each<[title: string, metadata: Json, form: Fields, header: Partial<typeof right>, expected: Outcome]>([
    ['a public client with its id', PUBLIC, { client_id }, {}, GRANTED],
    ['a public client that posts a secret', PUBLIC, { client_id, client_secret: 'x' }, {}, BAD_CLIENT],
    ['a public client with an empty secret', PUBLIC, { client_id, client_secret: '' }, {}, GRANTED],
    ['a public client with Basic', PUBLIC, {}, basic(client_id, ''), BAD_CLIENT],
    ['nobody', PUBLIC, {}, {}, BAD_CLIENT],
    ['an unknown client', PUBLIC, { client_id: 'unknown' }, {}, BAD_CLIENT],
    ['an unknown client with Basic', PUBLIC, {}, basic('unknown', 'x'), BAD_CLIENT],
    ['a basic client with Basic', BASIC, {}, right, GRANTED],
    ['a basic client with a wrong secret', BASIC, {}, basic(client_id, 'wrong'), BAD_CLIENT],
    ['a basic client with an empty secret', BASIC, {}, basic(client_id, ''), BAD_CLIENT],
    ['a basic client with a secret that is not percent-encoded', BASIC, {}, basic(client_id, '%zz'), BAD_CLIENT],
    ['a basic client that posts its secret', BASIC, { client_id, client_secret }, {}, BAD_CLIENT],
    ['a basic client without a secret', BASIC, { client_id }, {}, BAD_CLIENT],
    ['a basic client that also posts its id', BASIC, { client_id }, right, BAD_REQUEST],
    ['a basic client that also posts its secret', BASIC, { client_secret }, right, BAD_REQUEST],
    ['a basic client that also posts an empty id', BASIC, { client_id: '' }, right, GRANTED],
    ['a post client that posts its secret', POST, { client_id, client_secret }, {}, GRANTED],
    ['a post client with a wrong secret', POST, { client_id, client_secret: 'wrong' }, {}, BAD_CLIENT],
    ['a post client with Basic', POST, {}, right, BAD_CLIENT],
    ['a post client without a secret', POST, { client_id }, {}, BAD_CLIENT],
    ['a client that named no method, with Basic', UNNAMED, {}, right, GRANTED],
    ['a client that named no method and posts its secret', UNNAMED, { client_id, client_secret }, {}, GRANTED],
    ['a client that named no method, without a secret', UNNAMED, { client_id }, {}, BAD_CLIENT],
    ['an assertion beside a secret', POST, { client_id, client_secret, client_assertion: 'x' }, {}, BAD_REQUEST],
    ['an assertion without its type', PUBLIC, { client_id, client_assertion: 'x' }, {}, BAD_REQUEST],
    ['an assertion beside Basic', BASIC, { client_assertion: 'x' }, right, BAD_REQUEST],
    ['an assertion', PUBLIC, { client_id, client_assertion: 'x', client_assertion_type: 'y' }, {}, BAD_CLIENT],
    ['an id twice', PUBLIC, { client_id: [client_id, client_id] }, {}, BAD_REQUEST],
    ['an id and an empty id', PUBLIC, { client_id: [client_id, ''] }, {}, GRANTED],
  ])('of %s', async (_, metadata, form, header, expected) => {
    await compareCredentials(metadata, form, header, expected)
  })

  it.each<[authorization: string, expected: Outcome]>([
    ['Basic', BAD_CLIENT],
    ['Basic %%%', BAD_CLIENT],
    [`Basic ${Buffer.from('no colon').toString('base64')}`, BAD_CLIENT],
    ['Bearer x', BAD_CLIENT],
  ])('by %s', async (authorization, expected) => {
    const form = { grant_type: 'refresh_token', refresh_token: 'a:b:c' }
    await compare((server) => postToken(server, form, { authorization }), expected)
  })

  it('by Basic in another letter case', async () => {
    await compareCredentials(BASIC, {}, { authorization: right.authorization.replace('Basic', 'bASIC') }, GRANTED)
  })

  it('by an id and a header of another scheme', async () => {
    await compareCredentials(PUBLIC, { client_id }, { authorization: 'Bearer eHh4' }, GRANTED)
  })
})

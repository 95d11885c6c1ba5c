import { expect, it } from 'vitest'
import type { Grant } from '../connection.ts'
import { issuerEndpoints } from './issuer-endpoints.ts'

const issuer = 'https://as.test'
const overrides = { authorize: undefined, token: undefined, registration: undefined, revocation: undefined }
const grantAt = (path: string): Grant => ({
  issuer,
  tokenEndpoint: `${issuer}/${path}`,
  revocationEndpoint: `${issuer}/${path}/revoke`,
  resource: null,
  scope: null,
  authorizedAt: new Date(0),
  authorizedBy: 'ada',
})
const read = async () => ({ tokenEndpoint: `${issuer}/two`, revocationEndpoint: `${issuer}/two/revoke` })

it('uses the endpoint of new metadata for all grants with the moved endpoint', async () => {
  const endpoints = issuerEndpoints(overrides, read)
  expect(await endpoints.reread(grantAt('one'))).toBe(true)
  expect(endpoints.current(grantAt('one'))).toMatchObject(await read())
})

it('does not use it for a later grant with another endpoint', async () => {
  const endpoints = issuerEndpoints(overrides, read)
  await endpoints.reread(grantAt('one'))
  expect(endpoints.current(grantAt('three'))).toEqual(grantAt('three'))
})

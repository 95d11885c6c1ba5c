/**
 * Envelope encryption with AES-256-GCM: the operator's `CREDENTIAL_KEYS` wrap one data key per connection, which seals its credentials. The
 * associated data contains the kind, owner and token generation of a value, so that a value moved elsewhere does not open.
 */
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto'
import { z } from 'zod'
import { Failure } from '../../platform/failure.ts'
import type { AuthorizationRequest } from '../authorization-requests.ts'
import type { CredentialContext, Vault, WrappedDataKey } from '../vault.ts'
import { DEFAULT_RETURN_PATH, type ReturnPath } from '../return-path.ts'
import { Secret } from '../../platform/secret.ts'

/** One of the operator's keys: a name and 32 random bytes. */
export interface CredentialKey {
  readonly kid: string
  readonly key: Buffer
}

const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * @param keys the keys that can open values.
 * @param sealing returns the name of the key that seals. Default: the first.
 */
export function aesVault(
  keys: readonly [CredentialKey, ...CredentialKey[]],
  sealing: () => string = () => keys[0].kid,
): Vault {
  const keyOf = (kid: string): Buffer => {
    const found = keys.find((candidate) => candidate.kid === kid)
    if (!found) throw unreadable(`It was sealed with key "${kid}", which is not among CREDENTIAL_KEYS.`)
    return found.key
  }
  const wrap = (kid: string, dataKey: Buffer, context: readonly string[]) =>
    encrypt(keyOf(kid), dataKey, ['data-key', kid, ...context])
  const unwrap = (kid: string, wrapped: string, context: readonly string[]) =>
    decrypt(keyOf(kid), wrapped, ['data-key', kid, ...context])
  const dataKeyOf = (stream: string, key: WrappedDataKey) => unwrap(key.kid, key.wrapped, [stream, key.id])

  const newDataKey = (stream: string): WrappedDataKey => {
    const id = randomUUID()
    const kid = sealing()
    return { id, kid, wrapped: wrap(kid, randomBytes(32), [stream, id]) }
  }

  return {
    newDataKey,
    rewrap(stream, key) {
      const kid = sealing()
      return { id: key.id, kid, wrapped: wrap(kid, dataKeyOf(stream, key), [stream, key.id]) }
    },

    seal: (key, context, credential) =>
      encrypt(
        dataKeyOf(context.stream, key),
        serialize({ ...credential, accessToken: credential.accessToken ?? '' }),
        credentialContext(key, context),
      ),
    open: (key, context, sealed) =>
      deserialize(CredentialJson, decrypt(dataKeyOf(context.stream, key), sealed, credentialContext(key, context))),

    sealRequest(stateHash, request) {
      const dataKey = randomBytes(32)
      const kid = sealing()
      const wrapped = wrap(kid, dataKey, ['authorization-request', stateHash])
      const sealed = encrypt(dataKey, serialize(request), ['authorization-request', stateHash])
      return JSON.stringify({ kid, wrapped, sealed })
    },
    openRequest(stateHash, text) {
      const { kid, wrapped, sealed } = deserialize(SealedRequestJson, Buffer.from(text))
      const dataKey = unwrap(kid, wrapped, ['authorization-request', stateHash])
      return deserialize(
        RequestJson,
        decrypt(dataKey, sealed, ['authorization-request', stateHash]),
      ) as AuthorizationRequest
    },
  }
}

const credentialContext = (key: WrappedDataKey, { stream, generation, grant }: CredentialContext) => {
  const { issuer, tokenEndpoint, revocationEndpoint, resource } = grant
  return ['credential', stream, key.id, String(generation), issuer, tokenEndpoint, revocationEndpoint, resource]
}

function encrypt(key: Buffer, plaintext: Buffer, context: readonly (string | null)[]): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(associatedData(context))
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]).toString('base64')
}

function decrypt(key: Buffer, sealed: string, context: readonly (string | null)[]): Buffer {
  const bytes = Buffer.from(sealed, 'base64')
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw unreadable('It is cut off.')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(associatedData(context))
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
  } catch (cause) {
    throw unreadable('It was changed or moved, or the key of that name has a different value.', cause)
  }
}

/** Encoded as JSON, so that different contexts never have the same encoding. */
const associatedData = (context: readonly (string | null)[]) => Buffer.from(JSON.stringify(context))

const unreadable = (why: string, cause?: unknown) =>
  new Failure(
    'sealed_value_unreadable',
    `A stored credential cannot be opened. ${why} Give the gateway the CREDENTIAL_KEYS that it was stored with, or reconnect Notion.`,
    { cause },
  )

/** Reveals secrets for encryption. The result must not be used for anything else. */
const serialize = (value: object): Buffer =>
  // The replacer gets the result of `toJSON`, so it reads the member itself.
  Buffer.from(
    JSON.stringify(value, function (this: Record<string, unknown>, name, plain: unknown) {
      const member = this[name]
      return member instanceof Secret ? member.reveal() : plain
    }),
  )

function deserialize<T>(schema: z.ZodType<T>, bytes: Buffer): T {
  const { success, data } = schema.safeParse(jsonOf(bytes))
  if (!success) throw unreadable('This release does not know its form.')
  return data
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

const secret = z.string().transform((text) => new Secret(text))

const ClientJson = z.object({
  clientId: z.string(),
  clientSecret: secret.nullable(),
  authMethod: z.enum(['none', 'client_secret_basic', 'client_secret_post']),
})

const CredentialJson = z.object({
  // A missing token is sealed as an empty string, which earlier releases can read.
  accessToken: z.string().transform((text) => (text === '' ? null : new Secret(text))),
  refreshToken: secret.nullable(),
  client: ClientJson,
})

const SealedRequestJson = z.object({ kid: z.string(), wrapped: z.string(), sealed: z.string() })

const RequestJson = z.object({
  spaceId: z.string(),
  userId: z.string(),
  // Parsed before it was sealed, and authenticated since.
  returnPath: z
    .string()
    .transform((path) => path as ReturnPath)
    .catch(DEFAULT_RETURN_PATH),
  codeVerifier: secret,
  bindingHash: z.string().nullable(),
  // Missing in pending requests of earlier releases.
  confirmsWorkspace: z.boolean().default(false),
  client: ClientJson,
  server: z.object({
    issuer: z.string(),
    authorizationEndpoint: z.string(),
    tokenEndpoint: z.string(),
    registrationEndpoint: z.string().nullable(),
    revocationEndpoint: z.string().nullable(),
    promisesIssuer: z.boolean(),
    scope: z.string().nullable().default(null),
    takesMetadataDocuments: z.boolean().default(false),
    resource: z.string().nullable(),
    tokenEndpointAuthMethods: z.array(z.string()).nullable().default(null),
  }),
})

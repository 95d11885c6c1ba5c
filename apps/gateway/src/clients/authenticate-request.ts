import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Failure } from '../platform/failure.ts'
import type { Secret } from '../platform/secret.ts'
import {
  servicePrincipal,
  bearerToken,
  type CallerHeaders,
  type ServicePrincipal,
  serviceTokenCheck,
  unauthenticated,
  userIdOf,
} from '../platform/service-token.ts'
import { type McpTarget, resourceUrl } from '../proxy/endpoint.ts'
import type { Authenticator, Principal } from './authenticate.ts'

/** An authenticated MCP client of a user, and its access. */
export interface UserClient {
  readonly kind: 'client'
  readonly access: Principal
}

/** A caller of the MCP endpoint. Service principals may act for any user and space; a user's client is bound to one of each. */
export type Caller = ServicePrincipal | UserClient

export interface RequestAuthenticatorDependencies {
  readonly serviceTokens: readonly Secret[]
  readonly clientAuthenticator: Authenticator
  /** The gateway's URL for clients. Their tokens must be issued for a URL below it. */
  readonly publicUrl: URL
  /** Rejects requests from web pages of origins that are not allowed. */
  readonly checkOrigin: (req: IncomingMessage) => void
}

/**
 * Authenticates requests to the MCP endpoint by their `Authorization` header; credentials in the query are ignored. Returns synchronously
 * for service principals, and for clients whose credentials are in the cache.
 *
 * @throws {Failure} `unauthenticated`, `forbidden_origin`, `forbidden_space`, and the failures of {@link Authenticator}.
 */
export function requestAuthenticator({
  serviceTokens,
  clientAuthenticator,
  publicUrl,
  checkOrigin,
}: RequestAuthenticatorDependencies): (req: IncomingMessage, target: McpTarget) => Caller | Promise<Caller> {
  const isServiceToken = serviceTokenCheck(serviceTokens)
  return (req, target) => {
    const { headers } = req
    const token = bearerToken(headers.authorization)
    if (token !== undefined && isServiceToken(token)) return servicePrincipal(headers)
    // A web page cannot know the service token, so `Origin` does not matter for it: a server may pass the header on. All others are checked.
    checkOrigin(req)
    if (token === undefined) {
      throw unauthenticated('Send an access key or access token as "Authorization: Bearer …".')
    }
    const spaceId = requestedSpace(target.spaceId, headers['x-space-id'])
    const access = clientAuthenticator.authenticate({
      text: token,
      digest: sha256(token),
      resource: resourceUrl(publicUrl, target),
      spaceId,
    })
    return access instanceof Promise
      ? access.then((principal) => toUserClient(principal, headers))
      : toUserClient(access, headers)
  }
}

function toUserClient(access: Principal, headers: CallerHeaders): UserClient {
  const headerUserId = userIdOf(headers['x-user-id'])
  if (headerUserId !== undefined && headerUserId !== access.userId) {
    throw new Failure('forbidden_space', 'X-User-ID names another user than this access belongs to. Omit the header.')
  }
  return { kind: 'client', access }
}

function requestedSpace(inPath: string | undefined, header: string | string[] | undefined): string | undefined {
  const inHeader = Array.isArray(header) ? header.join(',') : header || undefined
  if (inPath !== undefined && inHeader !== undefined && inPath !== inHeader) {
    throw new Failure('forbidden_space', 'The URL and X-Space-ID name different spaces. Omit the header.')
  }
  return inPath ?? inHeader
}

const sha256 = (text: string) => createHash('sha256').update(text).digest()

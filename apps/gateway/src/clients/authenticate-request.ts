import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Failure } from '../platform/failure.ts'
import { type ServicePrincipal, servicePrincipal, bearerToken, type CallerHeaders, serviceTokenCheck, unauthenticated, userIdOf } from '../platform/service-token.ts'
import type { Authenticator, Principal } from './authenticate.ts'
import type { Secret } from '../platform/secret.ts'
import { type McpTarget, resourceUrl } from '../proxy/endpoint.ts'

/** A person's MCP client that proved itself, and what it may do. */
export interface UserClient {
  readonly kind: 'client'
  readonly access: Principal
}

/** Who may call the MCP endpoint. An application vouches for its own persons and spaces; a client is bound to one of each. */
export type Caller = ServicePrincipal | UserClient

export interface RequestAuthenticatorDependencies {
  readonly serviceTokens: readonly Secret[]
  readonly accesses: Authenticator
  /** The gateway as clients know it: what their tokens must have been issued for. */
  readonly publicUrl: URL
  /** Refuses requests of web pages that may not call. */
  readonly checkOrigin: (req: IncomingMessage) => void
}

/**
 * Tells who calls the MCP endpoint. Only the header `Authorization` proves anything: what stands in the query is not looked at. Answers
 * synchronously for applications, and for clients that proved themselves before.
 *
 * @throws {Failure} `unauthenticated`, `forbidden_origin`, `forbidden_space`, and what {@link Authenticator} throws.
 */
export function requestAuthenticator({
  serviceTokens,
  accesses,
  publicUrl,
  checkOrigin,
}: RequestAuthenticatorDependencies): (req: IncomingMessage, target: McpTarget) => Caller | Promise<Caller> {
  const isServiceToken = serviceTokenCheck(serviceTokens)
  return (req, target) => {
    const { headers } = req
    const presented = bearerToken(headers.authorization)
    if (presented !== undefined && isServiceToken(presented)) return servicePrincipal(headers)
    // A page cannot have the service token, so who has it is a program, whatever it passes on. Of all others nothing is believed yet.
    checkOrigin(req)
    if (presented === undefined) {
      throw unauthenticated('Send a key or an access token as "Authorization: Bearer …".')
    }
    const spaceId = oneSpace(target.spaceId, headers['x-space-id'])
    const access = accesses.prove({
      text: presented,
      digest: digestOf(presented),
      resource: resourceUrl(publicUrl, target),
      spaceId,
    })
    return access instanceof Promise ? access.then((proved) => clientOf(proved, headers)) : clientOf(access, headers)
  }
}

function clientOf(access: Principal, headers: CallerHeaders): UserClient {
  const named = userIdOf(headers['x-user-id'])
  if (named !== undefined && named !== access.userId) {
    throw new Failure('forbidden_space', 'X-User-ID names another person than the one whose access this is.')
  }
  return { kind: 'client', access }
}

function oneSpace(inPath: string | undefined, header: string | string[] | undefined): string | undefined {
  const inHeader = Array.isArray(header) ? header.join(',') : header || undefined
  if (inPath !== undefined && inHeader !== undefined && inPath !== inHeader) {
    throw new Failure('forbidden_space', 'The address and X-Space-ID name different spaces.')
  }
  return inPath ?? inHeader
}

const digestOf = (presented: string) => createHash('sha256').update(presented).digest()

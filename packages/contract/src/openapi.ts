/** The gateway's HTTP API as an OpenAPI document, made from the schemas of this package. docs/openapi.json is generated from it. */
import { z } from 'zod'
import {
  AccessKey,
  AccessKeys,
  CreatedAccessKey,
  NewAccessKey,
  Revocation,
  Scope,
  ActiveClient,
  ActiveClients,
} from './access.ts'
import { AuthorizationStart } from './authorization.ts'
import {
  Connection,
  ConnectionNotice,
  Degraded,
  DisconnectReceipt,
  History,
  HistoryEvent,
  Hold,
  PendingWorkspaceChange,
  WorkspaceChangeDecision,
} from './connection.ts'
import {
  JsonRpcError,
  Liveness,
  McpMessage,
  operations,
  ProtectedResourceMetadata,
  Readiness,
  type Operation,
  type SuccessResponse,
} from './operations.ts'
import { Problem, problems, type ProblemCode } from './problems.ts'

type Json = { [name: string]: unknown }

/** The version of the API, which is independent of releases. */
const API_VERSION = '0.1.0'

/** The named schemas of the document. */
const COMPONENTS = {
  AccessKey,
  AccessKeys,
  AuthorizationStart,
  Connection,
  ConnectionNotice,
  CreatedAccessKey,
  Degraded,
  DisconnectReceipt,
  History,
  HistoryEvent,
  Hold,
  JsonRpcError,
  Liveness,
  McpMessage,
  NewAccessKey,
  Problem,
  ProtectedResourceMetadata,
  Readiness,
  Revocation,
  Scope,
  ActiveClient,
  ActiveClients,
  PendingWorkspaceChange,
  WorkspaceChangeDecision,
} satisfies Record<string, z.ZodType>

/** Creates the OpenAPI 3.1 document. */
export function gatewayApi(): Json {
  return {
    openapi: '3.1.1',
    info: {
      title: 'Notion MCP Gateway',
      version: API_VERSION,
      description:
        'Connections of spaces with Notion, and the MCP endpoint that uses them. Any other address responds with 404 `not_found`, any other method with 405 `method_not_allowed`, and a request that is not valid HTTP with 400 `invalid_request`. Responses may gain members; ignore those that you do not know.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: 'http://localhost:8000' }],
    tags: [
      { name: 'Connections', description: 'Connect a space with Notion, and disconnect it.' },
      { name: 'Access', description: "Keys, revocations and activity of users' MCP clients." },
      { name: 'MCP', description: 'The MCP endpoints (Streamable HTTP).' },
      { name: 'Operating', description: 'Health checks.' },
    ],
    paths: pathsOf(operations),
    components: {
      securitySchemes: {
        serviceToken: {
          type: 'http',
          scheme: 'bearer',
          description: 'An application: one of `GATEWAY_SERVICE_TOKEN`. It names the user in `X-User-ID`.',
        },
        userClient: {
          type: 'http',
          scheme: 'bearer',
          description:
            "A user's MCP client: a key (`nmg_…`), or an access token of an authorization server that the gateway trusts.",
        },
      },
      schemas: componentSchemas(),
    },
  }
}

function componentSchemas(): Json {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(COMPONENTS)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, { uri: refOf, override: ({ jsonSchema }) => publish(jsonSchema) })
  const named = Object.entries(schemas).toSorted(([a], [b]) => a.localeCompare(b))
  return Object.fromEntries(named.map(([id, schema]) => [id, { ...schema, $schema: undefined, $id: undefined }]))
}

const refOf = (id: string) => `#/components/schemas/${id}`

/** Allows additional members, which later releases may add, and removes patterns that repeat a format. */
function publish(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.additionalProperties === false) delete schema.additionalProperties
  if (schema.format !== undefined) delete schema.pattern
}

function pathsOf(all: Readonly<Record<string, Operation>>): Json {
  const paths: Record<string, Json> = {}
  for (const [key, operation] of Object.entries(all)) {
    const [method = '', path = ''] = key.split(' ')
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationObject(path, operation) }
  }
  return paths
}

function operationObject(path: string, operation: Operation): Json {
  const { id, tag, summary, description, caller, query, body, success, failures } = operation
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description && { description }),
    security: SECURITY[caller],
    parameters: [
      ...pathParameters(path),
      ...(query ? queryParameters(query) : []),
      ...(caller === 'user' ? [{ ...USER_ID, required: true }] : caller === 'mcp' ? [USER_ID, SPACE_ID] : []),
    ],
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body) } } } }),
    responses: {
      ...Object.fromEntries(Object.entries(success).map(([status, response]) => [status, successObject(response)])),
      ...(caller === 'mcp' ? mcpFailures(failures) : problemResponses(failures)),
    },
  }
}

const SECURITY = {
  none: [],
  application: [{ serviceToken: [] }],
  user: [{ serviceToken: [] }],
  mcp: [{ serviceToken: [] }, { userClient: [] }],
} satisfies Record<Operation['caller'], Json[]>

const USER_ID = {
  name: 'X-User-ID',
  in: 'header',
  description: 'The user on whose behalf the application acts.',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
}

const SPACE_ID = {
  name: 'X-Space-ID',
  in: 'header',
  description: 'The space, unless the address, the access or `meta.space_id` of the message names it.',
  schema: { type: 'string', minLength: 1, maxLength: 200 },
}

function pathParameters(path: string): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: name === 'id' ? { type: 'string', format: 'uuid' } : { type: 'string', minLength: 1, maxLength: 200 },
  }))
}

function queryParameters(query: z.ZodObject): Json[] {
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input' })
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = property as Json
    return { name, in: 'query', required: required.includes(name), description, schema }
  })
}

function schemaOf(schema: z.ZodType): Json {
  const found = Object.entries(COMPONENTS).find(([, component]) => component === schema)
  if (!found) throw new Error('A body of the API is none of the components.')
  return { $ref: refOf(found[0]) }
}

function successObject({ description, schema, mediaTypes, headers }: SuccessResponse): Json {
  return {
    description,
    ...(headers && {
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, text]) => [name, { description: text, schema: { type: 'string' } }]),
      ),
    }),
    ...(schema && { content: { 'application/json': { schema: schemaOf(schema) } } }),
    ...(mediaTypes && { content: Object.fromEntries(mediaTypes.map((type) => [type, {}])) }),
  }
}

/** `outcome_unknown` has several statuses. */
const statusesOf = (code: ProblemCode): readonly number[] =>
  code === 'outcome_unknown' ? [502, 503, 504] : [problems[code].status]

function codesByStatus(codes: readonly ProblemCode[]): [number, ProblemCode[]][] {
  const statuses = [...new Set(codes.flatMap(statusesOf))].toSorted((a, b) => a - b)
  return statuses.map((status) => [status, codes.filter((code) => statusesOf(code).includes(status))])
}

function problemResponses(codes: readonly ProblemCode[]): Json {
  return Object.fromEntries(
    codesByStatus(codes).map(([status, ofStatus]) => [
      status,
      {
        description: ofStatus.map((code) => `\`${code}\`: ${problems[code].title}`).join('; '),
        ...(ofStatus.some((code) => RETRIED.includes(code)) && { headers: RETRY_AFTER }),
        content: { 'application/problem+json': { schema: problemSchema(status, ofStatus) } },
      },
    ]),
  )
}

const RETRIED: readonly ProblemCode[] = ['rate_limited', 'overloaded', 'refresh_unavailable', 'upstream_refuses_token']
const RETRY_AFTER = { 'Retry-After': { description: 'Seconds, where it is known.', schema: { type: 'integer' } } }

function problemSchema(status: number, codes: readonly ProblemCode[]): Json {
  return { allOf: [{ $ref: refOf('Problem') }, { properties: { status: { const: status }, code: { enum: codes } } }] }
}

/** Applications get problem documents; users' clients get JSON-RPC errors, some of them with other statuses. */
function mcpFailures(codes: readonly ProblemCode[]): Json {
  const ofApplications = problemResponses(codes) as Record<string, Json>
  const statuses = [...new Set([...Object.keys(ofApplications), '403'])].toSorted()
  const ofClients = { 'application/json': { schema: { $ref: refOf('JsonRpcError') } } }
  return Object.fromEntries([
    ...statuses.map((status) => {
      const response = ofApplications[status] ?? { description: 'Only for MCP clients.' }
      return [status, { ...response, content: { ...(response['content'] as Json), ...ofClients } }]
    }),
    ['default', { description: 'Any other response of the MCP server, unchanged.' }],
  ])
}

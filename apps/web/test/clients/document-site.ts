/** A site with documents of clients. It is on this machine, and speaks TLS as the web app demands it. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificateFor } from '@nmg/process/testing'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { REDIRECT } from './client-user.ts'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface DocumentSite {
  readonly origin: string
  /** What it answers with, by path; 404 where nothing is. */
  readonly answers: Record<string, Answer>
  /** The paths that were asked for in this test. */
  readonly visits: string[]
  /** Publishes a document, each time at another path. Answers with its address, the client's id. */
  publish(changes?: Record<string, unknown>, headers?: Record<string, string>): string
  /** Publishes another one at the same address. */
  replace(clientId: string, changes: Record<string, unknown>): void
}

const { key, cert } = certificateFor('localhost')
const folder = mkdtempSync(join(tmpdir(), 'nmg-documents-'))
writeFileSync(join(folder, 'ca.pem'), cert)

/** Settings with which a process believes the site to be who it says. */
export const trusting = { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') }

export const json =
  (value: unknown, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(value))
  }

export function documentSite(): () => DocumentSite {
  let site: DocumentSite
  const answers: Record<string, Answer> = {}
  const visits: string[] = []
  const server = createServer({ key, cert }, (request, response) => {
    const path = request.url ?? ''
    visits.push(path)
    const answer = answers[path]
    if (answer) answer(request, response)
    else response.writeHead(404).end()
  })
  beforeAll(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const origin = `https://localhost:${(server.address() as AddressInfo).port}`
    let count = 0
    const put = (clientId: string, changes: Record<string, unknown>, headers?: Record<string, string>) => {
      const document = {
        client_id: clientId,
        client_name: 'Described client',
        redirect_uris: [REDIRECT],
        token_endpoint_auth_method: 'none',
        ...changes,
      }
      answers[new URL(clientId).pathname] = json(document, headers)
    }
    site = {
      origin,
      answers,
      visits,
      publish(changes = {}, headers = {}) {
        const clientId = `${origin}/clients/${++count}.json`
        put(clientId, changes, headers)
        return clientId
      },
      replace: (clientId, changes) => put(clientId, changes),
    }
  })
  beforeEach(() => {
    visits.length = 0
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return () => site
}

import { runtime } from '../../../../lib/runtime.ts'

interface Issuer {
  readonly params: Promise<{ issuer?: string[] }>
}

/** Where clients look for the issuer's metadata (RFC 8414 §3.1); some look beside it, at the bare host name. */
const answer = async (_request: Request, { params }: Issuer) => {
  const path = ((await params).issuer ?? []).join('/')
  return path === '' || path === 'api/auth' ? runtime().oauth.metadata() : new Response(null, { status: 404 })
}

export { answer as GET, answer as OPTIONS }

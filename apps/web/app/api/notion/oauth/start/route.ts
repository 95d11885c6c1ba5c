import type { NextRequest } from 'next/server'
import { z } from 'zod'
import { browserBinding } from '../../../../../features/integrations/binding-cookie.ts'
import { startAuthorization } from '../../../../../features/integrations/space-connection.ts'
import { requireManager, requireMember } from '../../../../../lib/members.ts'
import { requireOwnOrigin } from '../../../../../lib/own-origin.ts'
import { answering, Refusal } from '../../../../../lib/refusal.ts'

const Body = z.object({ spaceId: z.string().optional(), returnPath: z.string().optional() })

export const POST = (request: NextRequest) =>
  answering(async () => {
    requireOwnOrigin(request.headers)
    const { spaceId, returnPath } = await bodyOf(request)
    const manager = requireManager(await requireMember(request.headers, spaceId))
    const binding = browserBinding(request)
    const start = await startAuthorization(manager, binding.value, returnPath)
    return Response.json(start, { headers: { 'cache-control': 'no-store', 'set-cookie': binding.setCookie } })
  })

/** Nothing at all is as good as `{}`. */
async function bodyOf(request: NextRequest): Promise<z.infer<typeof Body>> {
  const text = await request.text()
  const parsed = Body.safeParse(text === '' ? {} : jsonOf(text))
  if (!parsed.success)
    throw new Refusal('invalid_request', 'Send a JSON object with spaceId and returnPath, both optional texts.')
  return parsed.data
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Refusal(
      'invalid_json',
      'The body is not JSON. Send an object with spaceId and returnPath, both optional.',
      { cause },
    )
  }
}

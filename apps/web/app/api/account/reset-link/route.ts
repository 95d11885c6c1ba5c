import { z } from 'zod'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireOwnOrigin } from '@/lib/request-guards.ts'
import { isResetTokenGood } from '@/lib/password-reset.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

const Body = z.object({ token: z.string().max(200) })

/** Whether a link to reset a password still works, before somebody chooses one. The token itself cannot be guessed: it has 128 bits or more. */
export const POST = (request: Request) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { token } = await jsonBody(request, Body)
    return Response.json({ isGood: await isResetTokenGood(runtime().auth, token) }, noStore)
  })

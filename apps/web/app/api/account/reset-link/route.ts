import { z } from 'zod'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireOwnOrigin } from '@/lib/request-guards.ts'
import { isResetTokenGood } from '@/lib/password-reset.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

const Body = z.object({ token: z.string().max(200) })

/** Checks whether a password reset link is still valid. The token has at least 128 bits and cannot be guessed. */
export const POST = (request: Request) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const { token } = await jsonBody(request, Body)
    return Response.json({ isGood: await isResetTokenGood(runtime().auth, token) }, noStore)
  })

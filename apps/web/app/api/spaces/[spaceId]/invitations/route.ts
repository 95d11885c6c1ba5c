import { z } from 'zod'
import { sendInvitation } from '@/features/spaces/invitation-mail.ts'
import { invite } from '@/features/spaces/members.ts'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireManager } from '@/lib/membership.ts'
import { requireMember, requireOwnOrigin, requireWithinLimit } from '@/lib/request-guards.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'

const Body = z.object({ role: z.enum(['admin', 'member']), email: z.email().max(254).optional() })

/** Creates an invitation. Its link is in this response and, with an address and SMTP configured, in an email. */
export const POST = (request: Request, { params }: { params: Promise<{ spaceId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const manager = requireManager(await requireMember(request.headers, (await params).spaceId))
    const { role, email } = await jsonBody(request, Body)
    if (email && runtime().sendMail) {
      await requireWithinLimit(request.headers, 'invitationMail', {
        user: manager.user.id,
        space: manager.space.id,
        recipient: email,
      })
    }
    const { id, secret, expiresAt } = await invite(runtime(), manager, { role, email })
    const link = `${runtime().webUrl}/invitations/${secret}`
    const mail = email ? await sendInvitation(runtime(), manager, email, link) : 'not_sent'
    return Response.json({ id, link, expiresAt: expiresAt.toISOString(), mail }, { status: 201, ...noStore })
  })

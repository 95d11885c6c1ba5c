import { z } from 'zod'
import { sendInvitation } from '@/features/spaces/invitation-mail.ts'
import { invite } from '@/features/spaces/people.ts'
import { jsonBody, noStore } from '@/lib/json-body.ts'
import { requireManager, requireMember } from '@/lib/members.ts'
import { requireOwnOrigin } from '@/lib/own-origin.ts'
import { respond } from '@/lib/problem-response.ts'
import { runtime } from '@/lib/runtime.ts'
import { requireWithinLimit } from '@/lib/within-limit.ts'

const Body = z.object({ role: z.enum(['admin', 'member']), email: z.email().max(254).optional() })

/** Makes an invitation. Its link is in this answer and, if it has an address and mail is set up, in a mail. */
export const POST = (request: Request, { params }: { params: Promise<{ spaceId: string }> }) =>
  respond(async () => {
    requireOwnOrigin(request.headers)
    const manager = requireManager(await requireMember(request.headers, (await params).spaceId))
    const { role, email } = await jsonBody(request, Body)
    if (email && runtime().sendMail) {
      await requireWithinLimit(request.headers, 'invitationMail', {
        person: manager.person.id,
        space: manager.space.id,
        recipient: email,
      })
    }
    const { id, secret, expiresAt } = await invite(manager, { role, email })
    const link = `${runtime().webUrl}/invitations/${secret}`
    const mail = email ? await sendInvitation(manager, email, link) : 'not_sent'
    return Response.json({ id, link, expiresAt: expiresAt.toISOString(), mail }, { status: 201, ...noStore })
  })

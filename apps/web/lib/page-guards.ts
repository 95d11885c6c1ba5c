import 'server-only'
import type { Metadata } from 'next'
import { headers } from 'next/headers'
import { notFound, redirect } from 'next/navigation'
import { cache } from 'react'
import { memberIn, type SignedIn, type SpaceMember } from './membership.ts'
import { signedIn } from './request-guards.ts'
import { ASKED_PATH, returnPath } from './return-path.ts'

/** Who looks at the page; asked once for all parts of it. */
export const signedInUser = cache(async () => signedIn(await headers()))

/** The same for pages of people who are signed in. Others are sent to sign in, and come back here. */
export async function requireSignedInUser(): Promise<SignedIn> {
  const found = await signedInUser()
  if (found) return found
  const path = returnPath((await headers()).get(ASKED_PATH))
  redirect(path === '/' ? '/sign-in' : `/sign-in?${new URLSearchParams({ next: path })}`)
}

/**
 * The signed-in user as a member of the page's space. For others there is no such page, whether there is such a space or not. Layouts and pages
 * are rendered side by side, so each page asks by itself.
 */
export async function requireMemberPage(params: Promise<{ spaceId: string }>): Promise<SpaceMember> {
  const [found, { spaceId }] = await Promise.all([requireSignedInUser(), params])
  return memberIn(found, spaceId) ?? notFound()
}

/** The title of a page of a space, for its members; others learn not even that. */
export const memberPageTitle =
  (title: string) =>
  async ({ params }: { params: Promise<{ spaceId: string }> }): Promise<Metadata> => {
    await requireMemberPage(params)
    return { title }
  }

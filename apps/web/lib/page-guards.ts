import 'server-only'
import type { Metadata } from 'next'
import { headers } from 'next/headers'
import { notFound, redirect } from 'next/navigation'
import { cache } from 'react'
import { memberIn, type SignedIn, type SpaceMember } from './membership.ts'
import { signedIn } from './request-guards.ts'
import { ASKED_PATH, returnPath } from './return-path.ts'

/** The signed-in user, read once per rendered page. */
export const signedInUser = cache(async () => signedIn(await headers()))

/** The signed-in user; without one, redirects to sign-in and back. */
export async function requireSignedInUser(): Promise<SignedIn> {
  const found = await signedInUser()
  if (found) return found
  const path = returnPath((await headers()).get(ASKED_PATH))
  redirect(path === '/' ? '/sign-in' : `/sign-in?${new URLSearchParams({ next: path })}`)
}

/**
 * The signed-in user's membership of the page's space; 404 for others, whether the space exists or not. Layouts and pages render in parallel,
 * so each page must check.
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

import type { Metadata } from 'next'
import { OAuthFrame } from '../oauth-frame.tsx'

export const metadata: Metadata = { title: 'The client’s request is not valid' }

const UNKNOWN_CLIENT =
  'This app does not know the client: registrations that are not used end after a day. Make the client forget its login here (often “clear authentication”, or removing and adding the server), and log in again.'

/** By the error that the authorization server found. Such requests cannot be answered to the client, so the person is told. */
const sentences: Record<string, string> = {
  invalid_client: UNKNOWN_CLIENT,
  client_disabled: 'This client was switched off by the operator of this app.',
  invalid_redirect:
    'The client asked to be answered at an address that it did not register. Nothing was allowed. If you did not begin this yourself, somebody may have sent you a forged link.',
}

export default async function OAuthErrorPage({
  searchParams,
}: {
  searchParams: Promise<{ error?: string | string[] }>
}) {
  const [error = ''] = [(await searchParams).error ?? ''].flat()
  return (
    <OAuthFrame
      title="The client’s request is not valid"
      lead={
        (Object.hasOwn(sentences, error) ? sentences[error] : undefined) ??
        'The client sent a request that this app does not understand. Nothing was allowed. Log in from the client again; if it happens again, its maker has to look at it.'
      }
    />
  )
}

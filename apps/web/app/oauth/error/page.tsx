import { runtime } from '@/lib/runtime.ts'
import { ArrowUpRight } from 'lucide-react'
import type { Metadata } from 'next'
import { wayBack } from '@/features/clients/way-back.ts'
import type { DocumentFault } from '@/authorization-server/client-document.ts'
import { OAuthFrame } from '@/app/oauth/oauth-frame.tsx'

export const metadata: Metadata = { title: 'Invalid client request' }

const UNKNOWN_CLIENT =
  'This client isn’t registered here; unused registrations expire after a day. Clear the client’s login (often “clear authentication”, or remove and add the server again), then log in again.'

const CONTACT_DEVELOPER = 'No access was granted. Contact the client’s developer.'

/** Faults of client ID metadata documents. */
const documentSentences: Record<DocumentFault | 'document_not_offered', string> = {
  document_address: `The client’s ID is a URL that can’t be a client metadata document. ${CONTACT_DEVELOPER}`,
  document_private:
    'The client’s metadata document is on a private network or on this server, where this app doesn’t fetch it. No access was granted. If this is your own client, set it up to use dynamic client registration. If you didn’t start this yourself, someone may have sent you a forged link.',
  document_unreachable:
    'The client’s metadata document can’t be reached right now. No access was granted. Wait a minute, then log in from the client again. If it keeps happening, ask your administrator whether this app can reach the internet.',
  document_invalid: `The client’s metadata document isn’t valid. ${CONTACT_DEVELOPER}`,
  document_of_another: `The client’s metadata document describes a different client. ${CONTACT_DEVELOPER}`,
  document_redirects: `The client’s metadata document lists redirect addresses that aren’t safe. ${CONTACT_DEVELOPER}`,
  document_secret: `The client’s metadata document requires a client secret or key, which this app doesn’t support. ${CONTACT_DEVELOPER}`,
  document_later:
    'Too many new clients are being checked right now. No access was granted. Wait a minute, then log in from the client again.',
  document_not_offered:
    'This app doesn’t accept client metadata documents. No access was granted. Set up the client to use dynamic client registration.',
}

/** Messages by error code, for requests whose error cannot be redirected to the client. */
const sentences: Record<string, string> = {
  ...documentSentences,
  invalid_client: UNKNOWN_CLIENT,
  server_error: 'Something went wrong on our end. No access was granted. Log in from the client again in a moment.',
  too_many:
    'Too many requests from your network. No access was granted. Wait a minute, then log in from the client again.',
  client_disabled: 'Your administrator has disabled this client.',
  invalid_target:
    'The client requested an address that doesn’t belong to any space here. No access was granted. Set up the client with the address shown under Clients in your space.',
  invalid_redirect:
    'The client’s redirect address is missing or isn’t registered. No access was granted. If you didn’t start this yourself, someone may have sent you a forged link.',
}

interface OAuthErrorPageProps {
  readonly searchParams: Promise<
    Record<'error' | 'client_id' | 'redirect_uri' | 'state', string | string[] | undefined>
  >
}

export default async function OAuthErrorPage({ searchParams }: OAuthErrorPageProps) {
  const asked = await searchParams
  const [error = ''] = [asked.error ?? ''].flat()
  const back = await wayBack(runtime(), error, asked)
  return (
    <OAuthFrame
      title="Invalid client request"
      hasWayOn
      lead={
        (Object.hasOwn(sentences, error) ? sentences[error] : undefined) ??
        'The client sent a request this app can’t process. No access was granted. Log in from the client again. If it keeps happening, contact the client’s developer.'
      }
    >
      {back && (
        <p className="text-sm text-pretty text-soft">
          If you trust the client, return to it to report the error:{' '}
          <a
            href={back.href}
            rel="noopener noreferrer nofollow"
            className="font-medium break-all text-link underline-offset-4 hover:underline"
          >
            {back.name}
            <ArrowUpRight aria-hidden className="ml-0.5 inline size-4" />
          </a>
        </p>
      )}
    </OAuthFrame>
  )
}

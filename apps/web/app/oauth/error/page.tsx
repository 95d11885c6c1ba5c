import { runtime } from '@/lib/runtime.ts'
import { ArrowUpRight } from 'lucide-react'
import type { Metadata } from 'next'
import { wayBack } from '@/features/clients/way-back.ts'
import type { DocumentFault } from '@/authorization-server/client-document.ts'
import { OAuthFrame } from '@/app/oauth/oauth-frame.tsx'

export const metadata: Metadata = { title: 'The client’s request is not valid' }

const UNKNOWN_CLIENT =
  'This app does not know the client: registrations that are not used end after a day. Make the client forget its login here (often “clear authentication”, or removing and adding the server), and log in again.'

const TELL_MAKER = 'Nothing was allowed. Its maker has to correct it.'

/** The client names the address of a document that describes it, and is not known by it. */
const documentSentences: Record<DocumentFault | 'document_not_offered', string> = {
  document_address: `The client calls itself by a web address that cannot be one of a client. ${TELL_MAKER}`,
  document_private:
    'The client is described at an address in a private network or on this server’s own machine, where this app does not look. Nothing was allowed. If it is a client of your own, set it up so that it registers (“dynamic client registration”). If you did not begin this yourself, somebody may have sent you a forged link.',
  document_unreachable:
    'The client is described by a document on the web, which cannot be reached at the moment. Nothing was allowed. Log in from the client once more in a minute: it may do without the document then. If it stays like this, ask the operator of this app whether it may reach the Internet.',
  document_invalid: `What stands at the web address of the client does not describe a client. ${TELL_MAKER}`,
  document_of_another: `What stands at the web address of the client describes another one. ${TELL_MAKER}`,
  document_redirects: `The document that describes the client names addresses to go back to that are not safe. ${TELL_MAKER}`,
  document_secret: `The client is described as one that proves itself with a secret or a key. Here clients with a document do without. ${TELL_MAKER}`,
  document_later:
    'Too many new clients are being looked at, yours or those of others. Nothing was allowed. Wait for a minute, and log in from the client again.',
  document_not_offered:
    'The operator of this app wants clients to register instead of naming a web address that describes them. Nothing was allowed. Set the client up so that it registers (“dynamic client registration”).',
}

/** By the error that the authorization server found. Such requests cannot be answered to the client, so the user is told. */
const sentences: Record<string, string> = {
  ...documentSentences,
  invalid_client: UNKNOWN_CLIENT,
  server_error: 'Something went wrong on our end. Nothing was allowed. Log in from the client again in a moment.',
  too_many:
    'Too many requests came from where you are. Nothing was allowed. Wait for a minute, and log in from the client again.',
  client_disabled: 'This client was switched off by the operator of this app.',
  invalid_target:
    'The client asked for an address that belongs to no space here, or to one that is gone. Nothing was allowed. Set the client up with the address that the page “Clients” of your space shows.',
  invalid_redirect:
    'The client asked to be answered at an address that it did not register, or at none. Nothing was allowed. If you did not begin this yourself, somebody may have sent you a forged link.',
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
      title="The client’s request is not valid"
      hasWayOn
      lead={
        (Object.hasOwn(sentences, error) ? sentences[error] : undefined) ??
        'The client sent a request that this app does not understand. Nothing was allowed. Log in from the client again; if it happens again, its maker has to look at it.'
      }
    >
      {back && (
        <p className="text-sm text-pretty text-soft">
          If you trust it, go on to where the client hears of this:{' '}
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

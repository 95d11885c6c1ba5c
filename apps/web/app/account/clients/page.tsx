import { ArrowLeft } from 'lucide-react'
import type { Metadata } from 'next'
import Link from 'next/link'
import { allowedClients } from '../../../features/clients/allowed-clients.ts'
import { AllowedList } from '../../../features/clients/allowed-list.tsx'
import { requireVisitor } from '../../../lib/visitor.ts'

export const metadata: Metadata = { title: 'Clients you have allowed' }

/** What the person has allowed in all of their spaces. */
export default async function AllowedClientsPage() {
  const found = await requireVisitor()
  return (
    <main className="mx-auto w-full max-w-3xl flex-1 px-4 py-7 sm:px-8 sm:py-10">
      <Link
        href="/"
        className="inline-flex items-center gap-1.5 rounded-sm text-sm font-medium text-link underline-offset-4 hover:underline"
      >
        <ArrowLeft aria-hidden className="size-4" />
        Back to your space
      </Link>
      <header className="mt-5 mb-6">
        <h1 className="text-2xl font-semibold tracking-tight text-balance">Clients you have allowed</h1>
        <p className="mt-1.5 max-w-2xl text-[15px] text-pretty text-soft">
          Programs that act for you because you logged in from them. Keys are with each space, under Clients.
        </p>
      </header>
      <AllowedList initial={await allowedClients(found)} />
    </main>
  )
}

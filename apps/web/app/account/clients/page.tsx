import type { Metadata } from 'next'
import { allowedClients } from '@/features/clients/allowed-clients.ts'
import { AllowedList } from '@/features/clients/allowed-list.tsx'
import { requireSignedInUser } from '@/lib/page-guards.ts'
import { runtime } from '@/lib/runtime.ts'

export const metadata: Metadata = { title: 'Clients you have allowed' }

/** What the user has allowed in all of their spaces. */
export default async function AllowedClientsPage() {
  const found = await requireSignedInUser()
  return (
    <div className="space-y-6">
      <div>
        <h1 className="text-2xl font-semibold tracking-tight text-balance">Clients you have allowed</h1>
        <p className="mt-1.5 text-[15px] text-pretty text-soft">
          Apps that can act for you because you logged in from them. Keys are listed in each space, under Clients.
        </p>
      </div>
      <AllowedList initial={await allowedClients(runtime(), found)} />
    </div>
  )
}

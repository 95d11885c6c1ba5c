import type { Metadata } from 'next'
import { allowedClients } from '@/features/clients/allowed-clients.ts'
import { AllowedList } from '@/features/clients/allowed-list.tsx'
import { requireSignedInUser } from '@/lib/page-guards.ts'
import { runtime } from '@/lib/runtime.ts'
import { texts } from '@/features/clients/texts.ts'

export const metadata: Metadata = { title: texts.allowed.title }

/** The user's grants in all spaces. */
export default async function AllowedClientsPage() {
  const found = await requireSignedInUser()
  return (
    <div className="space-y-6">
      <div>
        <h1 className="text-2xl font-semibold tracking-tight text-balance">{texts.allowed.title}</h1>
        <p className="mt-1.5 text-[15px] text-pretty text-soft">{texts.allowed.lead}</p>
      </div>
      <AllowedList initial={await allowedClients(runtime(), found)} />
    </div>
  )
}

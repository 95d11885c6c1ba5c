import { FlaskConical } from 'lucide-react'

/** Shown on every page of the demo. */
export function DemoBanner() {
  return (
    <aside aria-label="Simulation" className="border-b border-warning/25 bg-warning-soft py-2 text-warning">
      <p className="mx-auto flex max-w-5xl items-start gap-2 px-4 text-[13px] sm:items-center sm:px-6">
        <FlaskConical aria-hidden className="mt-0.5 size-4 shrink-0 sm:mt-0" />
        <span>
          <strong className="font-semibold">Simulation:</strong> this is not the real Notion. Workspaces, people and
          pages are invented, and nothing leaves this machine.
        </span>
      </p>
    </aside>
  )
}

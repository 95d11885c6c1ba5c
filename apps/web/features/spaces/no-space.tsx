import { Card } from '@/components/ui/card.tsx'
import { NewSpaceForm } from './new-space-form.tsx'
import { texts } from './texts.ts'

/** Shown to a user who left or was removed from their last space. */
export function NoSpace() {
  return (
    <Card className="mx-auto max-w-md p-6" aria-labelledby="no-space">
      <h1 id="no-space" className="text-lg font-semibold tracking-tight">
        {texts.space.noneTitle}
      </h1>
      <p className="mt-1.5 mb-5 text-sm text-pretty text-soft">{texts.space.none}</p>
      <NewSpaceForm />
    </Card>
  )
}

'use client'

import { useState } from 'react'
import { Card } from '@/components/ui/card.tsx'
import { Choice } from '@/components/ui/choice.tsx'
import { cn } from '@/components/ui/class-names.ts'
import { CopyBlock } from '@/components/ui/copy-block.tsx'
import { KEY_PLACEHOLDER, recipes, serverName } from './client-recipes.ts'
import { texts } from './texts.ts'

interface ConnectClientProps {
  readonly url: string
  readonly spaceName: string
  /** A key that was just created, inserted into the steps. */
  readonly newKey: string | undefined
}

/** Setup steps for the chosen client. */
export function ConnectClient({ url, spaceName, newKey }: ConnectClientProps) {
  const [chosen, setChosen] = useState(recipes[0])
  const [way, setWay] = useState<'login' | 'key'>('login')
  const [isKeyShown, setKeyShown] = useState(newKey)
  // Switch to the key steps after a key was created.
  if (newKey !== isKeyShown) {
    setKeyShown(newKey)
    if (newKey) setWay('key')
  }
  if (!chosen) return null
  const steps = chosen[way]({ url, name: serverName(spaceName), key: newKey ?? KEY_PLACEHOLDER })
  return (
    <Card className="p-4 sm:p-6" aria-labelledby="connect-client">
      <h2 id="connect-client" className="text-lg font-semibold tracking-tight">
        {texts.setup.title}
      </h2>
      <p className="mt-1 mb-4 text-sm text-pretty text-soft">{texts.setup.lead}</p>
      <CopyBlock text={url} label={texts.setup.address} />

      <fieldset className="mt-6">
        <legend className="mb-2.5 text-sm font-semibold">{texts.setup.which}</legend>
        <div className="flex flex-wrap gap-2">
          {recipes.map((recipe) => (
            <label
              key={recipe.id}
              className={cn(
                'relative flex min-h-9 cursor-pointer items-center rounded-lg border border-line-strong bg-surface px-3 text-sm font-medium text-soft hover:bg-sunken',
                'has-checked:border-focus has-checked:text-ink has-checked:ring-1 has-checked:ring-focus',
                'has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-focus',
              )}
            >
              <input
                type="radio"
                name="client"
                className="sr-only"
                checked={recipe === chosen}
                onChange={() => setChosen(recipe)}
              />
              {recipe.client}
            </label>
          ))}
        </div>
      </fieldset>

      <fieldset className="mt-6">
        <legend className="mb-2.5 text-sm font-semibold">{texts.setup.how}</legend>
        <div className="grid gap-2.5 sm:grid-cols-2">
          <Choice name="way" label={texts.setup.login} checked={way === 'login'} onChange={() => setWay('login')}>
            {texts.setup.loginHint}
          </Choice>
          <Choice name="way" label={texts.setup.key} checked={way === 'key'} onChange={() => setWay('key')}>
            {texts.setup.keyHint}
          </Choice>
        </div>
      </fieldset>

      <section className="mt-6 space-y-3" aria-label={`Steps for ${chosen.client}`}>
        {way === 'key' && !newKey && (
          <p className="text-sm text-pretty text-soft">
            Create a key{' '}
            <a href="#keys" className="rounded-sm font-medium text-link underline-offset-4 hover:underline">
              below
            </a>
            and use it in place of {KEY_PLACEHOLDER}.
          </p>
        )}
        <ol className="space-y-3">
          {steps.map(({ text, code }, at) => (
            <li key={`${chosen.id} ${way} ${at}`} className="space-y-2">
              <p className="text-sm text-pretty">{text}</p>
              {code && <CopyBlock text={code} label={`${chosen.client}, step ${at + 1}`} />}
            </li>
          ))}
        </ol>
      </section>
    </Card>
  )
}

'use client'

import { useState } from 'react'
import { Card } from '@/components/ui/card.tsx'
import { Choice } from '@/components/ui/choice.tsx'
import { cn } from '@/components/ui/class-names.ts'
import { CopyBlock } from '@/components/ui/copy-block.tsx'
import { KEY_PLACEHOLDER, recipes, serverName } from './client-recipes.ts'

interface ConnectClientProps {
  readonly url: string
  readonly spaceName: string
  /** The key that was made just now, to be put where it goes. */
  readonly newKey: string | undefined
}

/** What to copy into which client. */
export function ConnectClient({ url, spaceName, newKey }: ConnectClientProps) {
  const [chosen, setChosen] = useState(recipes[0])
  const [way, setWay] = useState<'login' | 'key'>('login')
  const [isKeyShown, setKeyShown] = useState(newKey)
  // Who has just made a key wants to use it.
  if (newKey !== isKeyShown) {
    setKeyShown(newKey)
    if (newKey) setWay('key')
  }
  if (!chosen) return null
  const steps = chosen[way]({ url, name: serverName(spaceName), key: newKey ?? KEY_PLACEHOLDER })
  return (
    <Card className="p-4 sm:p-6" aria-labelledby="connect-client">
      <h2 id="connect-client" className="text-lg font-semibold tracking-tight">
        Set up a client
      </h2>
      <p className="mt-1 mb-4 text-sm text-pretty text-soft">
        Every MCP client uses this space’s Notion at the same address, which never changes:
      </p>
      <CopyBlock text={url} label="Address of this space" />

      <fieldset className="mt-6">
        <legend className="mb-2.5 text-sm font-semibold">Which client?</legend>
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
        <legend className="mb-2.5 text-sm font-semibold">How should it authenticate?</legend>
        <div className="grid gap-2.5 sm:grid-cols-2">
          <Choice name="way" label="You log in" checked={way === 'login'} onChange={() => setWay('login')}>
            Your browser opens, and you choose what to allow. Best for apps you use yourself.
          </Choice>
          <Choice name="way" label="With a key" checked={way === 'key'} onChange={() => setWay('key')}>
            For scripts and servers, where nobody can log in. Anyone with the key can use it, so keep it secret.
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

'use client'

import { KeyRound } from 'lucide-react'
import { useId, useState } from 'react'
import { Badge } from '@/components/ui/badge.tsx'
import { Button } from '@/components/ui/button.tsx'
import { Card } from '@/components/ui/card.tsx'
import { Choice } from '@/components/ui/choice.tsx'
import { Confirm } from '@/components/ui/confirm.tsx'
import { CopyBlock } from '@/components/ui/copy-block.tsx'
import { Dialog } from '@/components/ui/dialog.tsx'
import { Field, inputStyle } from '@/components/ui/field.tsx'
import { CallNotice } from '@/components/ui/call-notice.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { Time } from '@/components/ui/time.tsx'
import { ApiError } from '@/lib/api-client.ts'
import { useCall } from '@/lib/use-call.ts'
import { createKey, deleteKey } from './client-api.ts'
import { KEY_DAYS, NewKey, type KeyView, type MadeKey } from './client-lists.ts'
import { scopeWords } from './scope-words.ts'
import { texts } from './texts.ts'

interface KeysProps {
  readonly spaceId: string
  readonly keys: readonly KeyView[]
  readonly made: MadeKey | undefined
  readonly onMade: (key: MadeKey | undefined) => void
  readonly onChange: () => Promise<void>
}

/** The user's keys for the space, with forms to create and delete them. */
export function Keys({ spaceId, keys, made, onMade, onChange }: KeysProps) {
  const [isMaking, setMaking] = useState(false)
  const [doomed, setDoomed] = useState<KeyView>()
  return (
    <Card className="scroll-mt-6 p-4 sm:p-6" id="keys" aria-labelledby="keys-title">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0 flex-1 basis-64">
          <h2 id="keys-title" className="text-lg font-semibold tracking-tight">
            {texts.keys.title}
          </h2>
          <p className="mt-1 text-sm text-pretty text-soft">{texts.keys.lead}</p>
        </div>
        <Button look="secondary" onClick={() => setMaking(true)}>
          <KeyRound aria-hidden />
          {texts.keys.new}
        </Button>
      </div>

      {made && (
        <Notice tone="success" title={texts.keys.created(made.name)} className="mt-4">
          <p className="mb-2.5">{texts.keys.copy}</p>
          <CopyBlock text={made.key} label={texts.keys.copyLabel} />
        </Notice>
      )}

      {keys.length === 0 ? (
        <p className="mt-4 rounded-xl border border-dashed border-line-strong p-4 text-sm text-soft">
          {texts.keys.none}
        </p>
      ) : (
        <ul className="mt-4 divide-y divide-line">
          {keys.map((key) => (
            <li key={key.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 py-3">
              <div className="min-w-0 flex-1 basis-56">
                <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1 text-sm font-medium break-words">
                  <bdi className="min-w-0 break-words">{key.name}</bdi>
                  <Badge>{scopeWords[key.scope]}</Badge>
                  {isOver(key) && <Badge tone="warning">{texts.keys.expired}</Badge>}
                </p>
                <p className="mt-0.5 text-[13px] text-soft">
                  Created <Time at={key.createdAt} /> ·{' '}
                  {key.lastUsedAt ? (
                    <>
                      last used <Time at={key.lastUsedAt} />
                    </>
                  ) : (
                    texts.keys.neverUsed
                  )}{' '}
                  ·{' '}
                  {key.expiresAt ? (
                    <>
                      expires <Time at={key.expiresAt} />
                    </>
                  ) : (
                    texts.keys.noExpiry
                  )}
                </p>
              </div>
              <Button look="quiet" size="small" onClick={() => setDoomed(key)}>
                Delete<span className="sr-only"> {key.name}</span>
              </Button>
            </li>
          ))}
        </ul>
      )}

      <Dialog open={isMaking} onClose={() => setMaking(false)} title={texts.keys.new}>
        <KeyForm
          spaceId={spaceId}
          onMade={(key) => {
            onMade(key)
            setMaking(false)
            void onChange()
          }}
        />
      </Dialog>
      <Confirm
        open={doomed !== undefined}
        onClose={() => setDoomed(undefined)}
        title={texts.keys.deleteTitle}
        action={texts.keys.delete}
        onConfirm={async () => {
          if (!doomed) return
          await deleteKey(spaceId, doomed.id)
          if (made?.id === doomed.id) onMade(undefined)
          await onChange()
        }}
      >
        <p className="break-words">
          Anything that uses <bdi className="font-medium text-ink">{doomed?.name}</bdi> loses access immediately. This
          can’t be undone.
        </p>
      </Confirm>
    </Card>
  )
}

const isOver = ({ expiresAt }: KeyView) => expiresAt !== undefined && Date.parse(expiresAt) < Date.now()

const dayWords: Record<(typeof KEY_DAYS)[number], string> = {
  30: '30 days',
  90: '90 days',
  365: '1 year',
  0: 'No expiration',
}

function KeyForm({ spaceId, onMade }: { spaceId: string; onMade: (key: MadeKey) => void }) {
  const call = useCall()
  const daysId = useId()
  return (
    <form
      className="space-y-5"
      onSubmit={(event) => {
        event.preventDefault()
        const form = new FormData(event.currentTarget)
        const key = NewKey.safeParse({
          name: form.get('name'),
          scope: form.get('scope'),
          days: Number(form.get('days')),
        })
        void call.run(async () => {
          if (!key.success) throw new ApiError('invalid_request', texts.keys.nameMissing)
          onMade(await createKey(spaceId, key.data))
        })
      }}
    >
      <Field label={texts.keys.nameLabel} name="name" autoFocus required maxLength={100} hint={texts.keys.nameHint} />
      <fieldset className="space-y-2.5">
        <legend className="mb-2.5 text-sm font-medium">{texts.keys.scope}</legend>
        <Choice name="scope" value="notion:read" defaultChecked label={scopeWords['notion:read']}>
          {texts.keys.read}
        </Choice>
        <Choice name="scope" value="notion:write" label={scopeWords['notion:write']}>
          {texts.keys.write}
        </Choice>
      </fieldset>
      <div className="space-y-1.5">
        <label htmlFor={daysId} className="block text-sm font-medium">
          {texts.keys.expiry}
        </label>
        <select id={daysId} name="days" defaultValue={90} className={inputStyle}>
          {KEY_DAYS.map((days) => (
            <option key={days} value={days}>
              {dayWords[days]}
            </option>
          ))}
        </select>
      </div>
      <CallNotice call={call} />
      <Button type="submit" className="w-full" busy={call.status === 'busy'}>
        {texts.keys.create}
      </Button>
    </form>
  )
}

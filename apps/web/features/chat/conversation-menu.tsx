'use client'

import { Ellipsis, Lock, Pencil, Trash2, Users } from 'lucide-react'
import { useState } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { Dialog } from '@/components/ui/dialog.tsx'
import { Field } from '@/components/ui/field.tsx'
import { Menu, MenuItem, MenuLine } from '@/components/ui/menu.tsx'
import { Notice } from '@/components/ui/notice.tsx'
import { draftsOf } from '@/lib/drafts/use-draft.ts'
import { messageOf } from '@/lib/api-client.ts'
import { chatApi } from './chat-api.ts'
import { useChat } from './chat-context.tsx'
import { LONGEST_TITLE, type ConversationSummary } from './conversation.ts'
import { draftName } from './use-chat-draft.ts'

type Asking = 'rename' | 'delete'

/** What the owner can do with a conversation as a whole. */
export function ConversationMenu({
  summary,
  onChange,
}: {
  summary: ConversationSummary
  onChange: (summary: ConversationSummary) => void
}) {
  const { spaceId, userId, list } = useChat()
  const api = chatApi(spaceId)
  const [asking, setAsking] = useState<Asking>()
  const [trouble, setTrouble] = useState<string>()
  const isShared = summary.visibility === 'space'

  const attempt = async (work: () => Promise<void>) => {
    setTrouble(undefined)
    try {
      await work()
      setAsking(undefined)
      list.refresh()
    } catch (error) {
      setTrouble(messageOf(error))
    }
  }
  const share = () =>
    attempt(async () => onChange(await api.change(summary.id, { visibility: isShared ? 'private' : 'space' })))
  const rename = (title: string) => attempt(async () => onChange(await api.change(summary.id, { title })))
  const remove = () =>
    attempt(async () => {
      await api.remove(summary.id)
      list.forget(summary.id)
      draftsOf(userId).remove(draftName(spaceId, summary.id))
      window.location.assign(`/spaces/${spaceId}/chat`)
    })

  return (
    <>
      <Menu
        trigger={
          <Button look="quiet" size="icon" aria-label="Conversation: more">
            <Ellipsis aria-hidden />
          </Button>
        }
      >
        <MenuItem onSelect={() => setAsking('rename')}>
          <Pencil aria-hidden />
          Rename…
        </MenuItem>
        <MenuItem onSelect={() => void share()}>
          {isShared ? <Lock aria-hidden /> : <Users aria-hidden />}
          {isShared ? 'Make private' : 'Share with the space'}
        </MenuItem>
        <MenuLine />
        <MenuItem onSelect={() => setAsking('delete')} className="text-danger">
          <Trash2 aria-hidden />
          Delete…
        </MenuItem>
      </Menu>
      {trouble && asking === undefined && <Notice tone="danger">{trouble}</Notice>}
      <Dialog open={asking === 'rename'} onClose={() => setAsking(undefined)} title="Rename the conversation">
        <form
          className="space-y-4"
          onSubmit={(event) => {
            event.preventDefault()
            const title = new FormData(event.currentTarget).get('title')
            if (typeof title === 'string' && title.trim() !== '') void rename(title.trim())
          }}
        >
          <Field label="Title" name="title" defaultValue={summary.title} required maxLength={LONGEST_TITLE} />
          {trouble && <Notice tone="danger">{trouble}</Notice>}
          <Button type="submit">Rename</Button>
        </form>
      </Dialog>
      <Dialog open={asking === 'delete'} onClose={() => setAsking(undefined)} title="Delete the conversation?">
        <p className="text-sm text-pretty text-soft">
          This permanently deletes “<bdi>{summary.title}</bdi>” and all its messages. Changes made in Notion stay.
        </p>
        {trouble && <Notice tone="danger">{trouble}</Notice>}
        <div className="mt-5 flex flex-wrap gap-2">
          <Button look="danger" onClick={() => void remove()}>
            Delete
          </Button>
          <Button look="secondary" onClick={() => setAsking(undefined)}>
            Cancel
          </Button>
        </div>
      </Dialog>
    </>
  )
}

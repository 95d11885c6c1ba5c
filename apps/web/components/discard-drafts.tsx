import { Confirm } from './ui/confirm.tsx'

/** Asks before signing out removes drafts from this browser. `count` is undefined while nothing is asked. */
export function DiscardDrafts({
  count,
  onClose,
  onConfirm,
}: {
  count: number | undefined
  onClose: () => void
  onConfirm: () => Promise<void>
}) {
  return (
    <Confirm
      open={count !== undefined}
      onClose={onClose}
      title="Sign out and delete drafts?"
      action="Sign out and delete"
      onConfirm={onConfirm}
    >
      <p>
        {count === 1 ? 'One unsent draft is' : `${count} unsent drafts are`} kept in this browser. Signing out deletes{' '}
        {count === 1 ? 'it' : 'them'}.
      </p>
    </Confirm>
  )
}

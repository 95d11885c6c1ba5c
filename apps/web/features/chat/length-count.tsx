import { LONGEST_MESSAGE } from './chat-message.ts'

const number = new Intl.NumberFormat('en')

/** From here on the user sees how much room is left. */
const NEAR = LONGEST_MESSAGE * 0.9

/** How long a message is, once that matters. */
export function LengthCount({ length }: { length: number }) {
  if (length < NEAR) return null
  const over = length - LONGEST_MESSAGE
  return (
    <p role="status" className={over > 0 ? 'text-xs font-medium text-danger' : 'text-xs text-soft'}>
      {over > 0
        ? `${number.format(over)} characters over the limit of ${number.format(LONGEST_MESSAGE)}`
        : `${number.format(length)} of ${number.format(LONGEST_MESSAGE)} characters`}
    </p>
  )
}

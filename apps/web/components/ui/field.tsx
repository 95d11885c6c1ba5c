import { useId, type ComponentProps } from 'react'
import { cn } from './class-names.ts'

export const inputStyle =
  'h-10 w-full min-w-0 rounded-lg border border-line-strong bg-surface px-3 text-[15px] text-ink shadow-xs placeholder:text-faint disabled:opacity-60'

/** A labelled input, with a hint below. */
export function Field({
  label,
  hint,
  className,
  ...input
}: ComponentProps<'input'> & { label: string; hint?: string }) {
  const id = useId()
  return (
    <div className={cn('space-y-1.5', className)}>
      <label htmlFor={id} className="block text-sm font-medium">
        {label}
      </label>
      <input id={id} dir="auto" className={inputStyle} aria-describedby={hint ? `${id}-hint` : undefined} {...input} />
      {hint && (
        <p id={`${id}-hint`} className="text-[13px] text-soft">
          {hint}
        </p>
      )}
    </div>
  )
}

import type { ComponentProps, ReactNode } from 'react'
import { cn } from './class-names.ts'

/** One of several things to choose from, with what it means. Belongs into a fieldset. */
export function Choice({
  label,
  children,
  className,
  ...radio
}: Omit<ComponentProps<'input'>, 'type'> & { label: ReactNode; children?: ReactNode }) {
  return (
    <label
      className={cn(
        'flex cursor-pointer items-start gap-3 rounded-xl border border-line-strong bg-surface p-3.5 has-checked:border-focus has-checked:ring-1 has-checked:ring-focus has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-focus',
        className,
      )}
    >
      <input type="radio" className="mt-0.5 size-4 shrink-0 accent-primary outline-none" {...radio} />
      <span className="min-w-0">
        <span className="block text-sm font-medium break-words">{label}</span>
        {children && <span className="mt-0.5 block text-[13px] text-pretty text-soft">{children}</span>}
      </span>
    </label>
  )
}

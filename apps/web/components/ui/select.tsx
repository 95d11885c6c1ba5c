import { ChevronDown } from 'lucide-react'
import { useId, type ComponentProps } from 'react'
import { cn } from './class-names.ts'
import { inputStyle } from './field.tsx'

/** A labelled choice from a short list, in the browser's own way. */
export function Select({
  label,
  isLabelHidden = false,
  className,
  ...select
}: ComponentProps<'select'> & { label: string; isLabelHidden?: boolean }) {
  const id = useId()
  return (
    <div className={cn('space-y-1.5', className)}>
      <label htmlFor={id} className={isLabelHidden ? 'sr-only' : 'block text-sm font-medium'}>
        {label}
      </label>
      <div className="relative">
        <select id={id} className={cn(inputStyle, 'appearance-none pr-9')} {...select} />
        <ChevronDown
          aria-hidden
          className="pointer-events-none absolute top-1/2 right-3 size-4 -translate-y-1/2 text-soft"
        />
      </div>
    </div>
  )
}

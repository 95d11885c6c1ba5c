import { cva, type VariantProps } from 'class-variance-authority'
import { LoaderCircle } from 'lucide-react'
import type { ComponentProps } from 'react'
import { cn } from './class-names.ts'

export const buttonStyle = cva(
  [
    'inline-flex select-none items-center justify-center gap-2 rounded-lg text-sm font-medium whitespace-nowrap transition-colors',
    'disabled:cursor-not-allowed disabled:opacity-60 aria-disabled:cursor-not-allowed aria-disabled:opacity-60 [&_svg]:size-4 [&_svg]:shrink-0',
  ],
  {
    variants: {
      look: {
        primary: 'bg-primary text-on-primary shadow-xs hover:bg-primary-hover',
        secondary: 'border border-line-strong bg-surface text-ink shadow-xs hover:bg-sunken',
        quiet: 'text-soft hover:bg-sunken hover:text-ink',
        danger: 'bg-danger-strong text-white shadow-xs hover:bg-danger-strong-hover',
      },
      size: {
        normal: 'h-10 px-4',
        small: 'h-8 px-3 text-[13px]',
        icon: 'size-9',
      },
    },
    defaultVariants: { look: 'primary', size: 'normal' },
  },
)

export type ButtonProps = ComponentProps<'button'> & VariantProps<typeof buttonStyle> & { busy?: boolean }

/** While `busy`, it turns and cannot be pressed again, but keeps the focus. */
export function Button({ look, size, busy = false, className, disabled, onClick, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={cn(buttonStyle({ look, size }), className)}
      disabled={disabled && !busy}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      // Also what Enter in a field of its form does.
      onClick={busy ? (event) => event.preventDefault() : onClick}
      {...rest}
    >
      {busy && <LoaderCircle aria-hidden className="animate-spin" />}
      {children}
    </button>
  )
}

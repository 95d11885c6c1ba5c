import { cn } from './class-names.ts'

/** This product. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden className={cn('size-7', className)}>
      <rect width="32" height="32" rx="8" className="fill-primary" />
      <path
        d="M9 21.5v-11l14 11v-11"
        fill="none"
        strokeWidth="2.6"
        strokeLinecap="round"
        strokeLinejoin="round"
        className="stroke-on-primary"
      />
      <circle cx="9" cy="10.5" r="2.7" className="fill-mark" />
      <circle cx="23" cy="21.5" r="2.7" className="fill-mark" />
    </svg>
  )
}

/** Stands for Notion where its connection is shown. */
export function NotionMark({ className }: { className?: string }) {
  return (
    <span
      aria-hidden
      className={cn(
        'grid size-11 shrink-0 place-items-center rounded-xl border border-line-strong bg-surface font-serif text-xl font-bold text-ink shadow-xs',
        className,
      )}
    >
      N
    </span>
  )
}

import { cn } from './class-names.ts'

/** Stands for a user, where there is no picture. */
export const Avatar = ({ name, className }: { name: string; className?: string }) => (
  <span
    aria-hidden
    // Not text of its own: what a button with it is called is the user's name.
    data-initials={initials(name)}
    className={cn(
      'grid size-9 shrink-0 place-items-center rounded-full bg-info-soft text-[13px] font-semibold text-info before:content-[attr(data-initials)]',
      className,
    )}
  />
)

function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => [...(word ?? '')][0] ?? '')
  return letters.join('').toUpperCase() || '?'
}

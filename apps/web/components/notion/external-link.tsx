import { ExternalLink as Icon } from 'lucide-react'
import type { ReactNode } from 'react'

/** A link to a page of somebody else's site, in another tab; `more` is read aloud after the text. */
export function ExternalLink({
  href,
  textStyle,
  children,
  more,
}: {
  href: string
  textStyle: string
  children: ReactNode
  more?: string
}) {
  return (
    <a
      href={href}
      target="_blank"
      rel="noopener noreferrer nofollow"
      className="inline-flex max-w-full items-center gap-1.5 rounded-sm font-medium text-ink hover:underline"
    >
      <span dir="auto" className={textStyle}>
        {children}
      </span>
      <Icon aria-hidden className="size-3.5 shrink-0 text-faint" />
      {more && <span className="sr-only">{more}</span>}
    </a>
  )
}

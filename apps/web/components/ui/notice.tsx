import { CircleAlert, CircleCheck, Info, TriangleAlert } from 'lucide-react'
import type { ReactNode } from 'react'
import { cn } from './class-names.ts'

type NoticeTone = 'info' | 'success' | 'warning' | 'danger'

const looks = {
  info: { style: 'bg-info-soft text-info', Icon: Info },
  success: { style: 'bg-success-soft text-success', Icon: CircleCheck },
  warning: { style: 'bg-warning-soft text-warning', Icon: TriangleAlert },
  danger: { style: 'bg-danger-soft text-danger', Icon: CircleAlert },
} as const satisfies Record<NoticeTone, unknown>

/** A message that screen readers announce: warnings and errors immediately, the rest politely. */
export function Notice({
  tone,
  title,
  children,
  className,
}: {
  tone: NoticeTone
  title?: string
  children: ReactNode
  className?: string
}) {
  const { style, Icon } = looks[tone]
  return (
    <div
      role={tone === 'danger' || tone === 'warning' ? 'alert' : 'status'}
      className={cn('flex gap-2.5 rounded-xl p-3.5 text-sm', style, className)}
    >
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="min-w-0 space-y-1">
        {title && <p className="font-semibold">{title}</p>}
        <div className="text-pretty">{children}</div>
      </div>
    </div>
  )
}

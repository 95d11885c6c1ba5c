import type { ComponentProps } from 'react'
import { cn } from './class-names.ts'

export function Card({ className, ...rest }: ComponentProps<'section'>) {
  return <section className={cn('rounded-2xl border border-line bg-surface shadow-card', className)} {...rest} />
}

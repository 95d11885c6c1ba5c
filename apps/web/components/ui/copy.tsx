'use client'

import { Check, Copy as CopyIcon } from 'lucide-react'
import { useState } from 'react'
import { Button } from './button.tsx'
import { inputStyle } from './field.tsx'
import { cn } from './class-names.ts'

const SHOWN_MS = 2_000

/** A text field with a copy button. */
export function CopyText({ label, text }: { label: string; text: string }) {
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    setCopied(true)
    setTimeout(() => setCopied(false), SHOWN_MS)
  }
  return (
    <div className="flex gap-2">
      <input
        readOnly
        aria-label={label}
        value={text}
        className={cn(inputStyle, 'font-mono text-[13px]')}
        onFocus={(event) => event.currentTarget.select()}
      />
      <Button look="secondary" onClick={() => void copy().catch(() => setCopied(false))}>
        {isCopied ? <Check aria-hidden /> : <CopyIcon aria-hidden />}
        {isCopied ? 'Copied' : 'Copy'}
      </Button>
      <span role="status" className="sr-only">
        {isCopied ? 'Copied' : ''}
      </span>
    </div>
  )
}

'use client'

import { Check, Copy } from 'lucide-react'
import { useRef, useState } from 'react'
import { Button } from './button.tsx'

/** Text with a copy button. If the browser denies clipboard access, the text is selected instead. */
export function CopyBlock({ text, label }: { text: string; label: string }) {
  const code = useRef<HTMLElement>(null)
  const [state, setState] = useState<'ready' | 'copied' | 'selected'>('ready')

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setState('copied')
    } catch {
      if (code.current) window.getSelection()?.selectAllChildren(code.current)
      setState('selected')
    }
  }
  return (
    <div className="relative rounded-xl border border-line bg-sunken">
      <pre className="p-3.5 text-[13px] leading-relaxed sm:pr-24">
        <code ref={code} className="font-mono break-words whitespace-pre-wrap">
          {text}
        </code>
      </pre>
      <Button
        look="secondary"
        size="small"
        className="absolute top-2 right-2 max-sm:static max-sm:mb-2.5 max-sm:ml-3.5"
        onClick={() => void copy()}
      >
        {state === 'copied' ? <Check aria-hidden /> : <Copy aria-hidden />}
        {state === 'copied' ? 'Copied' : 'Copy'}
        <span className="sr-only">: {label}</span>
      </Button>
      <p role="status" className={state === 'selected' ? 'px-3.5 pb-2.5 text-[13px] text-soft' : 'sr-only'}>
        {state === 'selected' && 'Text selected. Press Ctrl+C or ⌘C to copy it.'}
        {state === 'copied' && 'Copied.'}
      </p>
    </div>
  )
}

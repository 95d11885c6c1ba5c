'use client'

import { File } from 'lucide-react'
import { ExternalLink } from './external-link.tsx'
import { JsonText } from '@/components/json-text.tsx'
import { fileSize, type ResultBlock } from './result-blocks.ts'
import { webLink } from './tool-result.ts'

/** Blocks of a result, each as what it is. Nothing is loaded from elsewhere: images and audio come with the result. */
export function ResultContent({ blocks, hasLinks }: { blocks: readonly ResultBlock[]; hasLinks: boolean }) {
  if (blocks.length === 0) return <p className="text-sm text-soft">The tool returned nothing.</p>
  return (
    <div className="space-y-3">
      {blocks.map((block, index) => (
        // Blocks have no identity of their own and are never moved.
        <Block key={index} block={block} hasLinks={hasLinks} />
      ))}
    </div>
  )
}

function Block({ block, hasLinks }: { block: ResultBlock; hasLinks: boolean }) {
  switch (block.kind) {
    case 'text':
      if (block.text.length > 400) return <JsonText value={block.text} label="Text" />
      return (
        <p dir="auto" className="text-sm break-words whitespace-pre-wrap text-soft">
          {block.text}
        </p>
      )
    case 'json':
      return <JsonText value={block.value} label="Result" />
    case 'image':
      return (
        // Not next/image: the data comes with the result, there is nothing to fetch or to resize.
        // oxlint-disable-next-line nextjs/no-img-element
        <img
          src={`data:${block.mediaType};base64,${block.data}`}
          alt={`Returned by the tool, ${fileSize(block.bytes)}`}
          className="max-h-96 max-w-full rounded-xl border border-line bg-surface object-contain"
        />
      )
    case 'audio':
      return (
        // What a tool returns has no captions.
        // oxlint-disable-next-line jsx-a11y/media-has-caption
        <audio
          controls
          src={`data:${block.mediaType};base64,${block.data}`}
          aria-label={`The tool returned audio (${fileSize(block.bytes)})`}
          className="w-full max-w-md"
        />
      )
    case 'link':
      return <Link {...block} hasLinks={hasLinks} />
    case 'file':
      return (
        <p className="flex items-start gap-2 text-sm text-soft">
          <File aria-hidden className="mt-0.5 size-4 shrink-0" />
          <span className="min-w-0 break-words">
            A file that can’t be shown here{block.name && `: ${block.name}`} ({block.mediaType}, {fileSize(block.bytes)}
            )
          </span>
        </p>
      )
    case 'other':
      return <JsonText value={block.value} label={`Content of type ${block.type}`} />
  }
}

function Link({ uri, name, description, hasLinks }: Extract<ResultBlock, { kind: 'link' }> & { hasLinks: boolean }) {
  const href = webLink(uri)
  return (
    <div className="text-sm">
      {href && hasLinks ? (
        <ExternalLink href={href} textStyle="min-w-0 break-words">
          {name}
        </ExternalLink>
      ) : (
        <p dir="auto" className="font-medium break-words">
          {name}
        </p>
      )}
      <p className="text-[13px] break-all text-faint">{uri}</p>
      {description && (
        <p dir="auto" className="text-[13px] break-words text-soft">
          {description}
        </p>
      )}
    </div>
  )
}

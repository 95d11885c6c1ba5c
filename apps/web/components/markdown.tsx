import { memo, type ComponentProps, type ReactNode } from 'react'
import ReactMarkdown, { type Components } from 'react-markdown'
import remarkGfm from 'remark-gfm'
import { cn } from './ui/class-names.ts'

const PLUGINS = [remarkGfm]

/** Addresses that may be followed. What a model or a page writes as an address can be anything. */
const isFollowable = (href: string | undefined): href is string =>
  href !== undefined && URL.canParse(href) && ['http:', 'https:', 'mailto:'].includes(new URL(href).protocol)

const linkStyle =
  'rounded-sm font-medium text-link underline decoration-link/40 underline-offset-3 hover:decoration-link'

function Anchor({ href, children }: { href?: string | undefined; children?: ReactNode }) {
  if (!isFollowable(href)) return <span>{children}</span>
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" className={linkStyle}>
      {children}
    </a>
  )
}

/** Where links of the simulation would lead nowhere. */
const NoAnchor = ({ children }: { children?: ReactNode }) => <span className="font-medium">{children}</span>

const scrollable = 'overflow-x-auto rounded-xl border border-line'

const cellAlign = (align: unknown) =>
  align === 'right' ? 'text-right' : align === 'center' ? 'text-center' : 'text-left'

/** remark-gfm aligns by style attributes, which our Content-Security-Policy forbids. */
const alignOf = ({ style }: Pick<ComponentProps<'td'>, 'style'>) => cellAlign(style?.textAlign)

const components: Components = {
  // All of one level: what a model writes must not leave a hole in the page's outline.
  a: ({ href, children }) => <Anchor href={href}>{children}</Anchor>,
  // An image is a request to whoever put its address there, so none is loaded.
  img: ({ src, alt }) => (
    <Anchor href={typeof src === 'string' ? src : undefined}>[Image{alt ? `: ${alt}` : ''}]</Anchor>
  ),
  h1: ({ children }) => (
    <h3 dir="auto" className="mt-5 text-lg font-semibold tracking-tight first:mt-0">
      {children}
    </h3>
  ),
  h2: ({ children }) => (
    <h3 dir="auto" className="mt-5 text-base font-semibold tracking-tight first:mt-0">
      {children}
    </h3>
  ),
  h3: ({ children }) => (
    <h3 dir="auto" className="mt-4 font-semibold first:mt-0">
      {children}
    </h3>
  ),
  h4: ({ children }) => (
    <h3 dir="auto" className="mt-4 font-semibold first:mt-0">
      {children}
    </h3>
  ),
  h5: ({ children }) => (
    <h3 dir="auto" className="mt-4 font-semibold first:mt-0">
      {children}
    </h3>
  ),
  h6: ({ children }) => (
    <h3 dir="auto" className="mt-4 font-semibold first:mt-0">
      {children}
    </h3>
  ),
  p: ({ children }) => (
    <p dir="auto" className="my-2.5 first:mt-0 last:mb-0">
      {children}
    </p>
  ),
  ul: ({ children, className }) => (
    <ul
      dir="auto"
      className={cn('my-2.5 space-y-1 ps-5', className?.includes('task-list') ? 'list-none ps-1' : 'list-disc')}
    >
      {children}
    </ul>
  ),
  ol: ({ children, start }) => (
    <ol dir="auto" start={start} className="my-2.5 list-decimal space-y-1 ps-6">
      {children}
    </ol>
  ),
  li: ({ children }) => (
    <li dir="auto" className="ps-0.5 marker:text-faint">
      {children}
    </li>
  ),
  input: ({ checked }) => (
    <span aria-label={checked ? 'done' : 'not done'} role="img">
      {checked ? '☑ ' : '☐ '}
    </span>
  ),
  blockquote: ({ children }) => (
    <blockquote dir="auto" className="my-3 border-s-2 border-line-strong ps-4 text-soft">
      {children}
    </blockquote>
  ),
  hr: () => <hr className="my-5 border-line" />,
  pre: ({ children }) => (
    <pre
      dir="ltr"
      tabIndex={0}
      className={cn(
        scrollable,
        'my-3 bg-sunken p-3.5 font-mono text-[13px] leading-relaxed [&_code]:bg-transparent [&_code]:p-0',
      )}
    >
      {children}
    </pre>
  ),
  code: ({ children }) => <code className="rounded bg-sunken px-1 py-0.5 font-mono text-[0.88em]">{children}</code>,
  table: ({ children }) => (
    <div tabIndex={0} role="region" aria-label="Table" className={cn(scrollable, 'my-3')}>
      <table className="w-full border-collapse text-sm">{children}</table>
    </div>
  ),
  th: (props) => (
    <th dir="auto" className={cn('border-b border-line bg-sunken px-3 py-2 font-semibold', alignOf(props))}>
      {props.children}
    </th>
  ),
  td: (props) => (
    <td dir="auto" className={cn('border-b border-line px-3 py-2 align-top', alignOf(props))}>
      {props.children}
    </td>
  ),
}

const withoutLinks: Components = {
  ...components,
  a: ({ children }) => <NoAnchor>{children}</NoAnchor>,
  img: ({ alt }) => <span>[Image{alt ? `: ${alt}` : ''}]</span>,
}

/** Markdown as elements; HTML in it stays text. No image is loaded, and links tell nobody where they were followed. */
export const Markdown = memo(function Markdown({ text, hasLinks = true }: { text: string; hasLinks?: boolean }) {
  return (
    <ReactMarkdown remarkPlugins={PLUGINS} components={hasLinks ? components : withoutLinks}>
      {text}
    </ReactMarkdown>
  )
})

/**
 * Markdown that grows. What is complete, up to the last empty line outside of code, is not parsed again with each word, so a long answer
 * costs the same at its end as at its beginning.
 */
export function GrowingMarkdown({ text, hasLinks }: { text: string; hasLinks: boolean }) {
  const end = lastBoundary(text)
  return (
    <>
      {end > 0 && <Markdown text={text.slice(0, end)} hasLinks={hasLinks} />}
      <Markdown text={text.slice(end)} hasLinks={hasLinks} />
    </>
  )
}

function lastBoundary(text: string): number {
  let boundary = 0
  let isCode = false
  let at = 0
  for (const line of text.split('\n')) {
    if (/^\s*(```|~~~)/.test(line)) isCode = !isCode
    at += line.length + 1
    if (!isCode && line.trim() === '' && at < text.length) boundary = at
  }
  return boundary
}

import { codeOf, textPieces } from './visible-text.ts'

/**
 * A stranger's text, verbatim: line breaks kept, no markup interpreted, hidden characters shown by their code. It sets its own direction
 * and cannot change that of its surroundings.
 */
export function VisibleText({ text }: { text: string }) {
  return (
    <bdi dir="auto" className="break-words whitespace-pre-wrap">
      {runsOf(text).map((run, index) =>
        // Pieces have no identity of their own and are never moved.
        'text' in run ? (
          run.text
        ) : (
          <span
            key={index}
            dir="ltr"
            title={run.name}
            className="mx-px inline-block rounded bg-warning-soft px-1 font-mono text-[0.8em] leading-snug font-medium text-warning ring-1 ring-warning/30"
          >
            {codeOf(run.hidden)}
            {run.count > 1 && ` ×${run.count}`}
          </span>
        ),
      )}
    </bdi>
  )
}

type Run = { readonly text: string } | { readonly hidden: string; readonly name: string; readonly count: number }

/** The pieces, with the same hidden character in a row as one. */
function runsOf(text: string): Run[] {
  const runs: Run[] = []
  for (const piece of textPieces(text)) {
    const last = runs.at(-1)
    if ('text' in piece) runs.push(piece)
    else if (last && 'hidden' in last && last.hidden === piece.hidden) {
      runs[runs.length - 1] = { ...last, count: last.count + 1 }
    } else runs.push({ ...piece, count: 1 })
  }
  return runs
}

const CHECK_MS = 3_000

/** The same stream, aborted soon after `isAllowed` returns false. It continues while `isAllowed` fails. */
export function cutWhenOver(
  stream: ReadableStream<Uint8Array>,
  isAllowed: () => Promise<boolean>,
): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const cut = new AbortController()
  const check = () =>
    isAllowed().then(
      (is) => is || cut.abort(),
      () => undefined,
    )
  const timer = setInterval(() => void check(), CHECK_MS)
  // How it ends, the reader sees: the pipe hands errors on in both directions.
  void stream
    .pipeTo(writable, { signal: cut.signal })
    .catch(() => undefined)
    .finally(() => clearInterval(timer))
  return readable
}

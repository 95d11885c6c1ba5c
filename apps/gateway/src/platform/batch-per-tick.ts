/**
 * Gathers what comes up in one turn of the event loop and does it together at the turn's end, in order. What goes out for many callers
 * then leaves in one go: whoever is at the other end wakes up once, and not for each of them.
 *
 * @param work is called once for each turn, with all that was added. It must not throw.
 */
export function batchPerTick<T>(work: (items: T[]) => void): (item: T) => void {
  let items: T[] = []
  const run = (): void => {
    const gathered = items
    items = []
    work(gathered)
  }
  return (item) => {
    if (items.push(item) === 1) setImmediate(run)
  }
}

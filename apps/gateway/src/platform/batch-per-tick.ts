/**
 * Collects the items added during one tick of the event loop and processes them together, in order, in the next `setImmediate`. Writes for
 * many callers then leave in one system call, and the receiving process wakes up once.
 *
 * @param work is called once per tick with all items added. It must not throw.
 */
export function batchPerTick<T>(work: (items: T[]) => void): (item: T) => void {
  let items: T[] = []
  const run = (): void => {
    const batch = items
    items = []
    work(batch)
  }
  return (item) => {
    if (items.push(item) === 1) setImmediate(run)
  }
}

/** An item of at most one {@link InFlightSet}. */
export interface InFlightItem {
  /** Index in the set; -1 outside of one. Written only by the set. */
  inFlightIndex: number
}

/**
 * The set of calls in flight, with constant-time `add` and `delete`. A `Set` with one insertion and deletion per call reallocates its hash
 * table all the time, and old tables that V8 has promoted to the old generation retain all their former items until the next full collection.
 */
export class InFlightSet<T extends InFlightItem> implements Iterable<T> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  add(item: T): void {
    item.inFlightIndex = this.#items.length
    this.#items.push(item)
  }

  delete(item: T): void {
    const { inFlightIndex: index } = item
    if (index === -1) return
    item.inFlightIndex = -1
    const last = this.#items.pop()
    if (last === undefined || last === item) return
    last.inFlightIndex = index
    this.#items[index] = last
  }

  /** Iterates over a snapshot, so items may be added and deleted meanwhile. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items.slice().values()
  }
}

/** A member of an {@link InFlightSet}. */
export interface InFlight {
  /** Its position there; -1 outside of the set. Only the set changes it. */
  index: number
}

/**
 * Requests in flight. A `Set` to which every call adds and from which it deletes makes new tables all the time; the old ones, once V8 has moved
 * them to the old generation, keep everything alive that was ever in them until the next full collection.
 */
export class InFlightSet<T extends InFlight> implements Iterable<T> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  add(item: T): void {
    item.index = this.#items.length
    this.#items.push(item)
  }

  delete(item: T): void {
    const { index } = item
    if (index === -1) return
    item.index = -1
    const last = this.#items.pop()
    if (last === undefined || last === item) return
    last.index = index
    this.#items[index] = last
  }

  /** Iterates over a snapshot, so that members may leave meanwhile. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items.slice().values()
  }
}

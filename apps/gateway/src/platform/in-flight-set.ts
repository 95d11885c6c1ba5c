/** Something that can be on a {@link InFlightSet}. */
export interface Listed {
  /** Where it stands there; -1 when it does not. Only the roster changes it. */
  place: number
}

/**
 * What is under way. A `Set` would do the same, but one that takes in and lets go of something for every call makes new tables all the
 * time, and the old ones, once V8 has moved them to the old generation, keep alive all that was ever in them until the next full collection.
 */
export class InFlightSet<T extends Listed> implements Iterable<T> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  add(item: T): void {
    item.place = this.#items.length
    this.#items.push(item)
  }

  delete(item: T): void {
    const { place } = item
    if (place === -1) return
    item.place = -1
    const last = this.#items.pop()
    if (last === undefined || last === item) return
    last.place = place
    this.#items[place] = last
  }

  /** Over those that are there now, whatever becomes of them meanwhile. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items.slice().values()
  }
}

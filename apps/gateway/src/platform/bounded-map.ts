/** A map with a maximum size: when it is full, setting a new key evicts the key that was set least recently. */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #maxSize: number

  /** @param maxSize at least 1. */
  constructor(maxSize: number) {
    super()
    this.#maxSize = maxSize
  }

  override set(key: K, value: V): this {
    this.delete(key)
    super.set(key, value)
    if (this.size > this.#maxSize) this.delete(this.keys().next().value as K)
    return this
  }
}

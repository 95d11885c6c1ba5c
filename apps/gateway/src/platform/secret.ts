import { createHash, timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'

/** A value that must not be printed: logs, errors and JSON show `[secret]`. Call `reveal()` only where the value is used. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  /** Compares both values in constant time. */
  equals(other: Secret): boolean {
    return timingSafeEqual(this.digest(), other.digest())
  }

  /** SHA-256 of the value, to recognise it where it must not be stored. */
  digest(): Buffer {
    return createHash('sha256').update(this.#value).digest()
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}

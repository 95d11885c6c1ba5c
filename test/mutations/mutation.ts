import type { Law } from '../requirements.ts'

/** One way to break a law. At least one of the tests must notice. */
export interface Mutation {
  readonly law: Law
  /** What is wrong with the code after the replacement. */
  readonly fault: string
  /** Relative to the repository. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly text: string
  readonly replacement: string
  readonly test: MutationTest
}

export interface MutationTest {
  /** Relative to the repository. */
  readonly file: string
  /** The title of one test as in the source, with the placeholders of a table. Default: all tests of the file. */
  readonly title?: string
}

import { providerErrors, unknownProviderError } from './texts.ts'

/** A sign-in provider. */
export interface ProviderChoice {
  readonly id: string
  readonly name: string
}

/** The message for `error` in the query of a provider's callback, which can be any text. */
export const providerError = (code: string): string =>
  (Object.hasOwn(providerErrors, code) ? providerErrors[code] : undefined) ?? unknownProviderError

import { gatewayLaws1To6 } from './gateway-laws-1-6.ts'
import { gatewayLaws7To12 } from './gateway-laws-7-12.ts'
import type { Mutation } from './mutation.ts'
import { packageMutations } from './packages.ts'
import { webMutations } from './web.ts'

export const mutations: readonly Mutation[] = [
  ...gatewayLaws1To6,
  ...gatewayLaws7To12,
  ...webMutations,
  ...packageMutations,
].toSorted((one, other) => Number(one.law.slice(1)) - Number(other.law.slice(1)))

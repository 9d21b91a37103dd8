import * as errors from '../../errors/court.ts'
import { toAddress } from '../toAddress.ts'
import type { RevertTable } from './table.ts'

export const randomnessReverts: RevertTable<'randomness'> = {
  RoundNotReached: (round, reachedAt) => errors.seedNotReached({ round, reachedAt: Number(reachedAt) }),
  ProofInvalid: (round) => errors.seedProofInvalid({ round }),
  ChainUnsupported: (chainId) => errors.randomnessUnsupported({ chainId }),
  GroupKeyInvalid: () => errors.beaconKeyInvalid({}),
  PeriodInvalid: () => errors.beaconPeriodInvalid({}),
  PrecompileFailed: (precompile) => errors.pairingMissing({ precompile: toAddress(precompile) }),
}

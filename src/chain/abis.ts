import type { NetworkContracts } from '../domain/chainPort.ts'
import { courtAbi, drandRandomnessAbi, epochsAbi, paymentsAbi, stakingAbi } from './contracts.generated.ts'

export type ContractName = keyof NetworkContracts

/** ABI of each contract of a network. Drand's randomness has all that the devnet's has. */
export const abis = {
  staking: stakingAbi,
  payments: paymentsAbi,
  court: courtAbi,
  epochs: epochsAbi,
  randomness: drandRandomnessAbi,
} as const satisfies Record<ContractName, readonly unknown[]>

export type Abis = typeof abis

export const contractNames = Object.keys(abis) as ContractName[]

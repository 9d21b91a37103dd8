import { type Abi, type DecodeErrorResultReturnType, decodeErrorResult, type Hex } from 'viem'
import { callReverted } from '../../errors/chain.ts'
import type { CuckooError } from '../../errors/cuckooError.ts'
import { abis, type ContractName, contractNames } from '../abis.ts'
import { courtReverts } from './court.ts'
import { epochsReverts } from './epochs.ts'
import { paymentsReverts } from './payments.ts'
import { randomnessReverts } from './randomness.ts'
import { stakingReverts } from './staking.ts'

/** What each error of each contract becomes. */
export const reverts = {
  staking: stakingReverts,
  payments: paymentsReverts,
  court: courtReverts,
  epochs: epochsReverts,
  randomness: randomnessReverts,
} as const

/**
 * The error that revert data of a call to `contract` stands for; `action` is its function. Two contracts may name an error alike, so
 * the called one's comes first, then those of the contracts that it may have called.
 */
export function decodeRevert(data: Hex, action: string, contract: ContractName | null): CuckooError {
  const names = contract === null ? contractNames : [contract, ...contractNames.filter((name) => name !== contract)]
  for (const name of names) {
    const decoded = findError(name, data)
    if (decoded === null) continue
    const { errorName, args = [] } = decoded
    // The tables' types tie each name to its arguments; TypeScript cannot follow that through a union.
    const table = reverts[name] as unknown as Record<string, (...values: readonly unknown[]) => CuckooError>
    if (Object.hasOwn(table, errorName)) return (table[errorName] as (...values: readonly unknown[]) => CuckooError)(...args)
    // Error(string) and Panic(uint256), which viem knows with any ABI.
    return callReverted({ action, reason: `${errorName}(${args.join(', ')})` })
  }
  // Data that no ABI knows, such as that of a receiver's own error.
  return callReverted({ action, reason: data === '0x' ? 'it reverts without a reason' : `it reverts with ${data.slice(0, 10)}` })
}

function findError(contract: ContractName, data: Hex): DecodeErrorResultReturnType<Abi> | null {
  try {
    return decodeErrorResult({ abi: abis[contract] as Abi, data })
  } catch {
    return null
  }
}

import type { ContractErrorArgs, ContractErrorName } from 'viem'
import type { CuckooError } from '../../errors/cuckooError.ts'
import type { Abis, ContractName } from '../abis.ts'

type Arguments<C extends ContractName, N extends ContractErrorName<Abis[C]>> =
  ContractErrorArgs<Abis[C], N> extends infer A extends readonly unknown[] ? A : readonly []

/** What each error of a contract becomes: an entry for every one that its ABI has. */
export type RevertTable<C extends ContractName> = { readonly [N in ContractErrorName<Abis[C]>]: (...args: Arguments<C, N>) => CuckooError }

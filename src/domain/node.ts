import { weiPerCai } from './amount.ts'
import type { Address, Hex } from './hex.ts'

/** What a node is for; the numbers are the contract's `Role` and part of the signed `Registration`. */
export const roleNumbers = { none: 0, miner: 1, coordinator: 2 } as const
export type Role = 'miner' | 'coordinator'

/** Bond in wei that must be exceeded (strictly) for a node to be active. */
export const bondThresholdWei: Record<Role, bigint> = { miner: 20_000n * weiPerCai, coordinator: 2_000_000n * weiPerCai }

/** Votes count for weight, and are accepted, up to this many times the bond. */
export const maxVotesPerBond = 16n

export interface Profile {
  /** 1-64 bytes */
  name: string
  /** 0-256 bytes; where miners and apps find a coordinator */
  url: string
  /** 0-1024 bytes */
  description: string
}

/** A node as the chain knows it at one block. */
export interface NodeRecord {
  /** the node's identity: its owner's address */
  node: Address
  role: Role | 'none'
  active: boolean
  /** it went away by itself, or was sent away by the court until `jailedUntil` at least */
  away: boolean
  /** for a draw secret that it did not reveal */
  suspended: boolean
  /** unix seconds; 0: never */
  jailedUntil: number
  operator: Address
  /** voters' part of the income in 1/10,000 */
  voterShareBps: number
  /** unix seconds */
  registeredAt: number
  bondWei: bigint
  votesWei: bigint
  voteShares: bigint
  thawingBondWei: bigint
  thawingVotesWei: bigint
  /** claimable by the owner */
  rewardsWei: bigint
  weightWei: bigint
  /** nonce of the next Registration */
  nonce: bigint
  /** first 12 bytes of keccak256 of the encoded profile */
  profileHash: Hex
  profile: Profile | null
}

/** Weight in wei that draws count: bond + min(votes, 16 × bond) while active, else 0. The contract's own rule (Staking.sol). */
export function toWeight(node: { active: boolean; bondWei: bigint; votesWei: bigint }): bigint {
  if (!node.active) return 0n
  const cap = node.bondWei * maxVotesPerBond
  return node.bondWei + (node.votesWei < cap ? node.votesWei : cap)
}

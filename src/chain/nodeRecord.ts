import { encodeAbiParameters, type ReadContractReturnType } from 'viem'
import { keccak256 } from '../domain/eip712.ts'
import { type Address, fromHex, type Hex, toHex } from '../domain/hex.ts'
import type { NodeRecord, Profile } from '../domain/node.ts'
import type { stakingAbi } from './contracts.generated.ts'

export type NodeView = ReadContractReturnType<typeof stakingAbi, 'getNode'>

const roles = ['none', 'miner', 'coordinator'] as const

/** The contract's view of a node as ours. `profile` is what the last event said: kept only when it is what the hash on chain says. */
export function toNodeRecord(view: NodeView, profile: Profile | null): NodeRecord {
  return {
    node: view.owner.toLowerCase() as Address,
    role: roles[view.role] ?? 'none',
    active: view.active,
    away: view.away,
    suspended: view.suspended,
    jailedUntil: Number(view.jailedUntil),
    operator: view.operator.toLowerCase() as Address,
    voterShareBps: view.voterShareBps,
    registeredAt: Number(view.registeredAt),
    bondWei: view.bondWei,
    votesWei: view.votesWei,
    voteShares: view.voteShares,
    thawingBondWei: view.thawingBondWei,
    thawingVotesWei: view.thawingVotesWei,
    rewardsWei: view.rewardsWei,
    weightWei: view.weightWei,
    nonce: view.nonce,
    profileHash: view.profileHash,
    profile: profile !== null && hashProfile(profile) === view.profileHash ? profile : null,
  }
}

const profileType = [
  {
    type: 'tuple',
    components: [
      { name: 'name', type: 'string' },
      { name: 'url', type: 'string' },
      { name: 'description', type: 'string' },
    ],
  },
] as const

/** The first 12 bytes of keccak256(abi.encode(profile)), as Staking.sol keeps them. */
export function hashProfile(profile: Profile): Hex {
  return toHex(keccak256(fromHex(encodeAbiParameters(profileType, [profile]))).subarray(0, 12))
}

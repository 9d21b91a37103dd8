import { createPool, type PoolModel } from './poolModel.ts'
import { createEarner, createStream, type EarnerModel, type StreamModel } from './streamModel.ts'

/** A role's number in the contract. */
export type RoleNumber = 1 | 2

/** 0 Bond, 1 Votes: the numbers of ThawKind */
export type KindNumber = 0 | 1

export interface ModelParameters {
  thawSeconds: number
  epochSeconds: number
  rewardSeconds: number
  dripSeconds: number
  freezeSeconds: number
}

export interface DripModel {
  waitingWei: bigint
  maturedWei: bigint
  startAt: number
  endsAt: number
}

export interface NodeModel extends EarnerModel {
  role: RoleNumber | 0
  registered: boolean
  away: boolean
  suspended: boolean
  jailedUntil: number
  registeredAt: number
  nonce: bigint
  shareBps: bigint
  nextShare: { bps: bigint; at: number } | undefined
  bondWei: bigint
  rewardsWei: bigint
  votes: PoolModel
  thawingBond: PoolModel
  thawingVotes: PoolModel
  drip: DripModel
  /** active bond from the start of each epoch in which it changed, as of that epoch's end */
  activeBonds: { epoch: number; wei: bigint }[]
}

export interface ThawModel {
  account: number
  node: number
  kind: KindNumber
  releaseAt: number
  shares: bigint
  generation: bigint
}

export interface PositionModel {
  account: number
  node: number
  shares: bigint
  generation: bigint
}

/** A claim on a coordinator's bond, kept by the payments contract. */
export interface ClaimModel {
  node: number
  shares: bigint
  generation: bigint
}

/** All that the contract must know, accounts by number. */
export interface ModelState {
  now: number
  freeWei: bigint[]
  nodes: NodeModel[]
  streams: Record<RoleNumber, StreamModel>
  positions: PositionModel[]
  thaws: ThawModel[]
  claims: ClaimModel[]
  undistributedWei: bigint
  /** all that came in less all that went out */
  balanceWei: bigint
}

/** The contract's "no": the model is as before. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}

export const thresholdsWei: Record<RoleNumber, bigint> = { 1: 20_000n * 10n ** 18n, 2: 2_000_000n * 10n ** 18n }
export const roles: readonly RoleNumber[] = [1, 2]
/** A chain without stake. */
export function createState(accounts: number, now: number): ModelState {
  return {
    now,
    freeWei: Array.from({ length: accounts }, () => 0n),
    nodes: Array.from({ length: accounts }, createNode),
    streams: { 1: createStream(now), 2: createStream(now) },
    positions: [],
    thaws: [],
    claims: [],
    undistributedWei: 0n,
    balanceWei: 0n,
  }
}

function createNode(): NodeModel {
  return {
    ...createEarner(),
    ...{ role: 0, registered: false, away: false, suspended: false, jailedUntil: 0, registeredAt: 0, nonce: 0n },
    ...{ shareBps: 0n, nextShare: undefined, bondWei: 0n, rewardsWei: 0n },
    ...{ votes: createPool(), thawingBond: createPool(), thawingVotes: createPool() },
    drip: { waitingWei: 0n, maturedWei: 0n, startAt: 0, endsAt: 0 },
    activeBonds: [],
  }
}

import fc from 'fast-check'
import {
  accountCount,
  type Command,
  toBond,
  toClaim,
  toClaimBond,
  toCreditIncome,
  toDeregister,
  toEpochs,
  toFund,
  toFundPool,
  toJail,
  toPayClaim,
  toPenalise,
  toPour,
  toRegister,
  toRejoin,
  toRest,
  toReturnClaim,
  toSettle,
  toSetVoterShare,
  toSlash,
  toStake,
  toUnbond,
  toUnvote,
  toVote,
  toWithdraw,
} from './rewardsCommands.ts'
import type { StakingModel } from './rewardsModel.ts'
import { type ModelParameters, type NodeModel, roles, thresholdsWei } from './rewardsState.ts'

/** Accounts 0 to 4 may be nodes; all of them may vote. */
const nodeCount = 5

type Wait = { kind: 'seconds'; seconds: number } | { kind: 'periods'; permille: number } | { kind: 'edge'; which: number; offset: number }

/** What fast-check draws. Numbers are choices among what the model then has: a step means something in every state. */
export interface Step {
  wait: Wait
  kind: Kind
  a: number
  b: number
  /** 0 to 999: so many thousandths of what there is, or a few wei near 0; up to 1,090: all of it; above: 1 wei more than that */
  part: number
  wei: bigint
}

const kindWeights = {
  stake: 1,
  register: 4,
  deregister: 1,
  bond: 3,
  unbond: 4,
  vote: 8,
  unvote: 6,
  withdraw: 5,
  setVoterShare: 6,
  fund: 7,
  fundPool: 2,
  pour: 3,
  settle: 6,
  claim: 4,
  rest: 2,
  rejoin: 3,
  restAll: 1,
  wakeAll: 9,
  leave: 3,
  creditIncome: 7,
  claimBond: 3,
  payClaim: 3,
  returnClaim: 3,
  penalise: 2,
  slash: 4,
  jail: 2,
  suspend: 1,
  resume: 2,
}
type Kind = keyof typeof kindWeights

const parameterSets: readonly ModelParameters[] = [
  { thawSeconds: 600, epochSeconds: 60, rewardSeconds: 300, dripSeconds: 90, freezeSeconds: 120 },
  { thawSeconds: 604_800, epochSeconds: 172_800, rewardSeconds: 604_800, dripSeconds: 86_400, freezeSeconds: 397_440 },
  { thawSeconds: 61, epochSeconds: 11, rewardSeconds: 60, dripSeconds: 7, freezeSeconds: 30 },
]

const arbitraryWait: fc.Arbitrary<Wait> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Wait>({ kind: 'seconds', seconds: 0 }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('seconds' as const), seconds: fc.nat(15) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('periods' as const), permille: fc.nat(600) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('periods' as const), permille: fc.nat(3_500) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('edge' as const), which: fc.nat(30), offset: fc.integer({ min: -1, max: 1 }) }) },
)

const arbitraryWei = fc.tuple(fc.nat(80), fc.bigInt({ min: 0n, max: 2n ** 80n - 1n })).map(([bits, low]) => 2n ** BigInt(bits) + (low % 2n ** BigInt(bits)))

const arbitraryStep: fc.Arbitrary<Step> = fc.record({
  wait: arbitraryWait,
  kind: fc.oneof(...(Object.keys(kindWeights) as Kind[]).map((kind) => ({ weight: kindWeights[kind], arbitrary: fc.constant(kind) }))),
  a: fc.nat(20),
  b: fc.nat(20),
  part: fc.nat(1_100),
  wei: arbitraryWei,
})

export interface History {
  parameters: ModelParameters
  steps: Step[]
}

export function arbitraryHistory(maxSteps: number): fc.Arbitrary<History> {
  const steps = fc.array(arbitraryStep, { minLength: 1, maxLength: maxSteps, size: 'max' })
  return fc.record({ parameters: fc.constantFrom(...parameterSets), steps })
}

/** Seconds that the step lets pass before it acts. */
export function getWait(model: StakingModel, { wait }: Step): number {
  const { now } = model.state
  if (wait.kind === 'seconds') return wait.seconds
  if (wait.kind === 'periods') return Math.floor((wait.permille * model.parameters.rewardSeconds) / 1_000)
  const edges = [
    ...roles.map((role) => model.state.streams[role].endsAt),
    ...model.state.nodes.flatMap((node) => [node.drip.endsAt, node.nextShare?.at ?? 0, node.jailedUntil]),
    ...model.state.thaws.map((thaw) => thaw.releaseAt),
  ]
  const ahead = edges.filter((edge) => edge > now + 1)
  return Math.max(0, (choose(ahead, wait.which) ?? now) + wait.offset - now)
}

/** The commands with which every history begins: stake, three nodes, some votes, both streams. */
export function toOpening(model: StakingModel): Command[] {
  const cai = 10n ** 18n
  return [
    ...model.state.freeWei.map((_, account) => toStake(account, 30_000_000n * cai + 10n ** BigInt(account) + 1n)),
    toRegister(model, 0, 1, 3_333n, 20_000n * cai + 1n),
    toRegister(model, 1, 1, 1_000n, 45_123n * cai + 77n),
    toRegister(model, 2, 2, 9_999n, 2_100_000n * cai + 12_345n),
    toVote(5, 0, 7_777n * cai + 3n),
    toVote(6, 2, 1_234_567n * cai + 1n),
    toFund(7, 1, 55_555n * cai + 13n),
    toFund(7, 2, 1_000n),
  ]
}

/** What the step means in the model's present state; a settlement where it means nothing. */
export function toCommands(model: StakingModel, step: Step): Command[] {
  const { state } = model
  const registered = state.nodes.flatMap((node, index) => (node.registered ? [index] : []))
  const outside = state.nodes.flatMap((other, index) => (other.registered || index >= nodeCount ? [] : [index]))
  const known = state.nodes.flatMap((node, index) => (node.role === 0 ? [] : [index]))
  const owner = choose(registered, step.a) ?? step.a % nodeCount
  const target = choose(known, step.a) ?? 0
  const account = step.b % accountCount
  const role = roles[step.b % 2] ?? 1
  const node = model.getNode(owner)
  const freeWei = state.freeWei[account] ?? 0n
  const claim = choose(state.claims, step.b)
  const settle = [toSettle(target)]
  switch (step.kind) {
    case 'stake':
      return [toStake(account, step.wei)]
    case 'register':
      return [toRegister(model, choose(outside, step.a) ?? owner, role, BigInt((step.part * 10) % 10_001), thresholdsWei[role] + (step.wei % 10n ** 24n))]
    case 'deregister':
      return [toDeregister(owner)]
    case 'bond':
      return [toBond(owner, pick(step, (state.freeWei[owner] ?? 0n) / 50n))]
    case 'unbond':
      return [toUnbond(owner, pick(step, node.bondWei))]
    case 'vote':
      return [toVote(account, owner, pick(step, toVoteRoom(model, node, freeWei)))]
    case 'unvote': {
      const position = choose(state.positions, step.a)
      return position ? [toUnvote(position.account, position.node, pick(step, model.liveShares(model.getNode(position.node).votes, position)))] : settle
    }
    case 'withdraw':
      return toWithdrawals(model, step, account)
    case 'setVoterShare':
      return [toSetVoterShare(owner, BigInt(step.part * 10))]
    case 'fund':
      return [toFund(account, role, step.wei)]
    case 'fundPool':
      return [toFundPool(account, step.wei)]
    case 'pour':
      return [toPour(account)]
    case 'settle':
      return settle
    case 'claim':
      return [toClaim(target)]
    case 'rest':
      return [toRest(owner)]
    case 'rejoin':
      return [toRejoin(owner)]
    case 'restAll':
      return registered.filter((index) => model.getNode(index).role === role).map(toRest)
    case 'wakeAll':
      return state.nodes.flatMap((_, index) => toWaking(model, index))
    case 'leave':
      return [...toDesertion(model, target), ...(model.getNode(target).registered ? [toDeregister(target)] : [])]
    case 'creditIncome':
      return [toCreditIncome(step.part > 1_080 ? account : target, step.wei)]
    case 'claimBond':
      return [toClaimBond(target, pick(step, model.getNode(target).bondWei / 4n) + 1n)]
    case 'payClaim':
      return claim ? [toPayClaim(claim, target)] : settle
    case 'returnClaim':
      return claim ? [toReturnClaim(claim)] : settle
    case 'penalise':
      return [toPenalise(target, pick(step, model.getNode(target).bondWei / 10n) + 1n)]
    case 'slash':
      return [toSlash(target, toSlashed(step, model.getNode(target)), step.wei % 10n ** 20n, BigInt((step.b * 125) % 2_501))]
    case 'jail':
      return [toJail(target, state.now + Math.floor((step.part * model.parameters.rewardSeconds) / 500))]
    case 'suspend':
      return [toEpochs('suspend', target)]
    case 'resume':
      return [toEpochs('resume', target)]
    default:
      return step.kind satisfies never
  }
}

/** What it takes to make a registered node active again, as far as its jail lets it. */
function toWaking(model: StakingModel, index: number): Command[] {
  const node = model.getNode(index)
  if (!node.registered || node.role === 0) return []
  const missingWei = thresholdsWei[node.role] + 1n - node.bondWei
  return [
    ...(node.suspended ? [toEpochs('resume', index)] : []),
    ...(node.away && node.jailedUntil <= model.state.now ? [toRejoin(index)] : []),
    ...(missingWei > 0n ? [toBond(index, missingWei)] : []),
  ]
}

/** The exit of every voter of the node. */
function toDesertion(model: StakingModel, index: number): Command[] {
  const { votes } = model.getNode(index)
  const positions = model.state.positions.filter((position) => position.node === index && model.liveShares(votes, position) > 0n)
  return positions.map((position) => toUnvote(position.account, index, model.liveShares(votes, position)))
}

function toWithdrawals(model: StakingModel, step: Step, account: number): Command[] {
  const mature = model.state.thaws.filter((thaw) => thaw.releaseAt <= model.state.now)
  const first = choose(mature, step.a) ?? choose(model.state.thaws, step.a)
  if (!first) return [toWithdraw(account, [], pick(step, (model.state.freeWei[account] ?? 0n) / 100n))]
  const own = step.part % 2 === 0 ? mature.filter((thaw) => thaw.account === first.account) : [first]
  return [toWithdraw(first.account, own.length > 0 ? own : [first], step.part % 7 === 0 ? step.wei : 0n)]
}

function toVoteRoom(model: StakingModel, node: NodeModel, freeWei: bigint): bigint {
  const roomWei = 16n * node.bondWei - node.votes.assetsWei
  // Often over the room left by what a settlement adds: both answers are worth a test.
  return [freeWei, roomWei > 0n ? roomWei : 0n, model.state.now % 2 === 0 ? freeWei / 100n : freeWei].reduce((a, b) => (a < b ? a : b))
}

function toSlashed(step: Step, node: NodeModel): bigint {
  const allWei = node.bondWei + node.thawingBond.assetsWei
  return step.part < 900 ? (allWei * BigInt(step.part)) / 2_000n + (step.wei % 1_000n) : pick(step, allWei)
}

function pick({ part, wei }: Step, availableWei: bigint): bigint {
  if (part > 1_090) return availableWei + 1n
  if (part >= 1_000) return availableWei
  const pickedWei = part < 50 ? 1n + (wei % 300n) : (availableWei * BigInt(part)) / 1_000n + (wei % 1_000n)
  return pickedWei < availableWei ? pickedWei : availableWei
}

function choose<T>(values: readonly T[], index: number): T | undefined {
  return values[index % Math.max(1, values.length)]
}

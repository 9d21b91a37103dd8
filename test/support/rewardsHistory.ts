import fc from 'fast-check'
import type { ClaimModel, KindNumber, ModelParameters, NodeModel, RoleNumber, StakingModel, ThawModel } from './rewardsModel.ts'
import { roles, thresholdsWei } from './rewardsModel.ts'

export const accountCount = 8
/** Accounts 0 to 4 may be nodes; all of them may vote. */
const nodeCount = 5

/** Who sends: an account, or one of the three contracts that the staking contract knows. */
export type Sender = number | 'payments' | 'court' | 'epochs'

/** One transaction, with what it does to the model. */
export interface Command {
  text: string
  from: Sender
  valueWei: bigint
  name: string
  args: readonly unknown[]
  /** does the same to the model and returns the words that the contract must return, if they are to be compared */
  apply: (model: StakingModel) => readonly bigint[] | undefined
}

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
  deregister: 2,
  bond: 3,
  unbond: 4,
  vote: 8,
  unvote: 6,
  withdraw: 5,
  setVoterShare: 6,
  fund: 5,
  fundPool: 2,
  pour: 3,
  settle: 6,
  claim: 4,
  rest: 2,
  rejoin: 5,
  restAll: 1,
  rejoinAll: 4,
  creditIncome: 7,
  claimBond: 3,
  payClaim: 2,
  returnClaim: 2,
  penalise: 2,
  slash: 4,
  jail: 2,
  suspend: 2,
  resume: 3,
}
type Kind = keyof typeof kindWeights

const parameterSets: readonly ModelParameters[] = [
  { thawSeconds: 600, epochSeconds: 60, rewardSeconds: 300, dripSeconds: 90, freezeSeconds: 120 },
  { thawSeconds: 604_800, epochSeconds: 172_800, rewardSeconds: 604_800, dripSeconds: 86_400, freezeSeconds: 397_440 },
  { thawSeconds: 61, epochSeconds: 11, rewardSeconds: 60, dripSeconds: 7, freezeSeconds: 30 },
]

const arbitraryWait: fc.Arbitrary<Wait> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Wait>({ kind: 'seconds', seconds: 0 }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('seconds' as const), seconds: fc.nat(15) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('periods' as const), permille: fc.nat(1_100) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('periods' as const), permille: fc.nat(3_500) }) },
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
      return [toRegister(model, step.a % nodeCount, role, BigInt((step.part * 10) % 10_001), thresholdsWei[role] + (step.wei % 10n ** 24n))]
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
    case 'rejoinAll':
      return registered.map(toRejoin)
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

function toStake(account: number, wei: bigint): Command {
  return toCommand(account, 'stake', [], wei, (model) => model.stake(account, wei), `stake ${wei}`)
}

function toRegister(model: StakingModel, account: number, role: RoleNumber, shareBps: bigint, wei: bigint): Command {
  const { nonce } = model.getNode(account)
  const text = `register as ${role === 1 ? 'miner' : 'coordinator'} with ${wei}, voter share ${shareBps}`
  // The replay adds the operator's signature and the profile.
  return toCommand(account, 'register', [role, shareBps, wei, nonce], 0n, (m) => m.register(account, role, shareBps, wei), text)
}

function toDeregister(account: number): Command {
  return toCommand(account, 'deregister', [], 0n, (model) => model.deregister(account))
}

function toBond(account: number, wei: bigint): Command {
  return toCommand(account, 'bond', [wei], 0n, (model) => model.bond(account, wei))
}

function toUnbond(account: number, wei: bigint): Command {
  return toCommand(account, 'unbond', [wei], 0n, (model) => model.unbond(account, wei))
}

function toVote(account: number, node: number, wei: bigint): Command {
  const apply = (model: StakingModel) => [model.vote(account, node, wei)]
  return toCommand(account, 'vote', [toNode(node), wei, 0n], 0n, apply, `vote ${wei} for node ${node}`)
}

function toUnvote(account: number, node: number, shares: bigint): Command {
  const apply = (model: StakingModel) => model.unvote(account, node, shares)
  return toCommand(account, 'unvote', [toNode(node), shares, 0n], 0n, apply, `unvote ${shares} shares of node ${node}`)
}

function toWithdraw(account: number, thaws: readonly ThawModel[], freeWei: bigint | 'all'): Command {
  const exits = thaws.map(({ node, kind, releaseAt }) => ({ node, kind, releaseAt }))
  const wei = freeWei === 'all' ? 2n ** 256n - 1n : freeWei
  const text = `withdraw ${freeWei} and the exits ${exits.map(formatExit).join(', ')}`
  return toCommand(account, 'withdraw', [exits, wei, account], 0n, (model) => model.withdraw(account, thaws, freeWei), text)
}

function toSetVoterShare(account: number, bps: bigint): Command {
  return toCommand(account, 'setVoterShare', [bps], 0n, (model) => model.setVoterShare(account, bps))
}

function toFund(account: number, role: RoleNumber, wei: bigint): Command {
  return toCommand(account, 'fund', [role], wei, (model) => model.fund(role, wei), `fund ${role === 1 ? 'miners' : 'coordinators'} with ${wei}`)
}

function toFundPool(account: number, wei: bigint): Command {
  return toCommand(account, 'fundPool', [], wei, (model) => model.fundPool(wei), `fund the pool with ${wei}`)
}

function toPour(account: number): Command {
  return toCommand(account, 'pour', [], 0n, (model) => model.pour())
}

function toSettle(node: number): Command {
  return toCommand(7, 'settle', [toNode(node)], 0n, (model) => model.settle(node), `settle node ${node}`)
}

function toClaim(node: number): Command {
  return toCommand(node, 'claim', [toNode(node)], 0n, (model) => [model.claim(node)], 'claim')
}

function toRest(node: number): Command {
  return toCommand(node, 'rest', [toNode(node)], 0n, (model) => model.rest(node), 'rest')
}

function toRejoin(node: number): Command {
  return toCommand(node, 'rejoin', [toNode(node)], 0n, (model) => model.rejoin(node), 'rejoin')
}

function toCreditIncome(node: number, wei: bigint): Command {
  const text = `income of ${wei} for node ${node}`
  return toCommand('payments', 'creditIncome', [toNode(node)], wei, (model) => model.creditIncome(node, wei), text)
}

function toClaimBond(node: number, wei: bigint): Command {
  const apply = (model: StakingModel) => {
    const { takenWei, shares, generation } = model.claimBond(node, wei)
    return [takenWei, shares, generation]
  }
  return toCommand('payments', 'claimBond', [toNode(node), wei], 0n, apply, `claim ${wei} of the bond of node ${node}`)
}

function toPayClaim(claim: ClaimModel, miner: number): Command {
  const args = [toNode(claim.node), claim.shares, claim.generation, toNode(miner)]
  const text = `pay the claim of ${claim.shares} shares on node ${claim.node} to node ${miner}`
  return toCommand('payments', 'payClaim', args, 0n, (model) => [model.payClaim(claim, miner)], text)
}

function toReturnClaim(claim: ClaimModel): Command {
  const args = [toNode(claim.node), claim.shares, claim.generation]
  const text = `return the claim of ${claim.shares} shares to node ${claim.node}`
  return toCommand('payments', 'returnClaim', args, 0n, (model) => [model.returnClaim(claim)], text)
}

function toPenalise(node: number, wei: bigint): Command {
  return toCommand('payments', 'penalise', [toNode(node), wei], 0n, (model) => [model.penalise(node, wei)], `penalise node ${node} by ${wei}`)
}

function toSlash(node: number, wei: bigint, refillWei: bigint, cutBps: bigint): Command {
  const apply = (model: StakingModel) => {
    const { takenWei, paidWei } = model.slash(node, wei, refillWei, cutBps)
    return [takenWei, paidWei]
  }
  const text = `slash node ${node} by ${wei}, refill ${refillWei}, cut ${cutBps}`
  return toCommand('court', 'slash', [toNode(node), wei, refillWei, cutBps, 1n], 0n, apply, text)
}

function toJail(node: number, until: number): Command {
  return toCommand('court', 'jail', [toNode(node), BigInt(until)], 0n, (model) => model.jail(node, until), `jail node ${node} until ${until}`)
}

function toEpochs(name: 'suspend' | 'resume', node: number): Command {
  return toCommand('epochs', name, [toNode(node)], 0n, (model) => model[name](node), `${name} node ${node}`)
}

function toCommand(
  from: Sender,
  name: string,
  args: readonly unknown[],
  valueWei: bigint,
  apply: (model: StakingModel) => readonly bigint[] | undefined | void,
  text?: string,
): Command {
  return { from, name, args, valueWei, apply: (model) => apply(model) ?? undefined, text: `${from}: ${text ?? `${name} ${args.join(' ')}`}` }
}

/** A node in a command's arguments; the replay puts its owner's address there. */
export interface NodeArgument {
  node: number
}

function toNode(node: number): NodeArgument {
  return { node }
}

/** An exit in a command's arguments; the replay puts its id there. */
export interface ExitArgument {
  node: number
  kind: KindNumber
  releaseAt: number
}

function formatExit({ node, kind, releaseAt }: ExitArgument): string {
  return `${kind === 0 ? 'bond' : 'votes'} of node ${node} at ${releaseAt}`
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

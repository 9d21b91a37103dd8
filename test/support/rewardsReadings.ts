import { add, formatFraction, isAtMost, isEqual, subtract, toFraction, zero } from './fraction.ts'
import { toAssets } from './poolModel.ts'
import { accountCount, type Sender } from './rewardsCommands.ts'
import type { StakingModel } from './rewardsModel.ts'
import { type ModelState, roles } from './rewardsState.ts'
import { getPending, isFair, isRunning } from './streamModel.ts'

/** An argument or a returned word: a number as it is, an account's address where `account` says so. */
export type Word = bigint | { account: Sender }

/** A view of the contract and the words that it must answer with; `undefined` where nothing is promised. */
export interface Reading {
  name: string
  args: readonly Word[] | { account: Sender; exits: readonly { node: number; kind: number; releaseAt: number }[] }
  words: readonly (bigint | undefined)[]
}

/** Everything that the model knows of what the contract shows, at the model's time. */
export function toReadings(model: StakingModel): Reading[] {
  const { state } = model
  const settled = model.preview()
  const epoch = model.getEpoch()
  const readings: Reading[] = [{ name: 'undistributedWei', args: [], words: [state.undistributedWei] }]
  for (const role of roles) {
    const stream = settled.streams[role]
    const running = isRunning(stream)
    const words = [running ? stream.rateWei : 0n, running ? BigInt(stream.endsAt) : undefined, stream.nextWei, stream.weightWei]
    readings.push({ name: 'getStream', args: [BigInt(role)], words })
    readings.push({ name: 'totalWeight', args: [BigInt(role)], words: [stream.weightWei] })
    for (const at of [epoch, epoch - 1]) readings.push({ name: 'totalActiveBondAt', args: [BigInt(role), BigInt(at)], words: [toTotalBond(model, role, at)] })
  }
  for (let account = 0; account < accountCount; account++) readings.push(...toAccountReadings(state, account))
  for (const [index, node] of state.nodes.entries()) if (node.role !== 0 || node.rewardsWei > 0n) readings.push(...toNodeReadings(model, settled, index))
  for (const position of state.positions) {
    const { votes } = settled.nodes[position.node] ?? model.getNode(position.node)
    const shares = model.liveShares(votes, position)
    const args = [{ account: position.account }, { account: position.node }]
    readings.push({ name: 'votesOf', args, words: [shares, toAssets(votes, shares)] })
  }
  for (const { account, exits, words } of toExits(model)) readings.push({ name: 'getThaws', args: { account, exits }, words })
  for (const claim of state.claims) {
    const pool = model.getNode(claim.node).thawingBond
    const words = [toAssets(pool, model.liveShares(pool, claim))]
    readings.push({ name: 'claimWorth', args: [{ account: claim.node }, claim.shares, claim.generation], words })
  }
  return readings
}

/**
 * Holds the rounding that is documented against the truth, and the contract's money against all its buckets.
 * @throws where more was given than flowed, or less than the documented dust below it
 */
export function assertSound(model: StakingModel): void {
  const { state } = model
  let dustWei = zero
  for (const role of roles) {
    const stream = state.streams[role]
    const earners = state.nodes.filter((node) => node.role === role)
    assertTrue(stream.weightWei === earners.reduce((sum, node) => sum + node.weightWei, 0n), `weights of role ${role} do not sum up`)
    const pendingWei = earners.reduce((sum, node) => add(sum, getPending(stream, node)), zero)
    dustWei = add(dustWei, add(add(pendingWei, stream.carry), stream.lostWei))
    assertTrue(isAtMost(stream.lostWei, toFraction(stream.settlements, 256n)), `role ${role} has lost ${formatFraction(stream.lostWei)} wei`)
    assertTrue(stream.flowedWei <= stream.fundedWei, `role ${role} gave what it did not have`)
    for (const [index, node] of state.nodes.entries()) if (node.role === role) assertTrue(isFair(stream, node), `node ${index} has not its fair part`)
  }
  for (const node of state.nodes) dustWei = add(dustWei, node.lostWei)
  const earnedWei = state.nodes.reduce((sum, node) => sum + node.earnedWei, 0n)
  const flowedWei = roles.reduce((sum, role) => sum + state.streams[role].flowedWei, 0n)
  assertTrue(isEqual(subtract(toFraction(flowedWei - earnedWei), dustWei), zero), 'what flowed is neither given nor dust')
  const bucketsWei = add(toFraction(sumBuckets(state)), dustWei)
  assertTrue(isEqual(bucketsWei, toFraction(state.balanceWei)), `buckets and dust are ${formatFraction(bucketsWei)} of ${state.balanceWei}`)
}

function toAccountReadings({ freeWei, nodes }: ModelState, account: number): Reading[] {
  return [{ name: 'getAccount', args: [{ account }], words: [freeWei[account] ?? 0n, nodes[account]?.bondWei ?? 0n] }]
}

function toNodeReadings(model: StakingModel, settled: ModelState, index: number): Reading[] {
  const node = model.getNode(index)
  const after = settled.nodes[index] ?? node
  const epoch = model.getEpoch()
  const [active, jailed] = [model.isActive(node), node.jailedUntil > model.state.now]
  const args = [{ account: index }]
  const standing = [toWord(active), toWord(node.away), toWord(node.suspended), jailed ? BigInt(node.jailedUntil) : undefined]
  const registration = [undefined, after.shareBps, node.registered ? BigInt(node.registeredAt) : 0n]
  const stake = [node.bondWei, after.votes.assetsWei, after.votes.shares, node.weightWei, node.thawingBond.assetsWei, node.thawingVotes.assetsWei]
  const role = node.registered ? BigInt(node.role) : 0n
  const words = [undefined, role, ...standing, ...registration, ...stake, after.rewardsWei, node.nonce, undefined]
  return [
    { name: 'getNode', args, words },
    { name: 'rewardsOf', args, words: [after.rewardsWei] },
    { name: 'dripOf', args, words: [after.drip.waitingWei, after.drip.waitingWei > 0n ? BigInt(after.drip.endsAt) : undefined] },
    ...[epoch, epoch - 1].map((at) => ({ name: 'activeBondAt', args: [{ account: index }, BigInt(at)], words: [model.getActiveBond(node, at)] })),
  ]
}

function toExits(model: StakingModel) {
  const accounts = [...new Set(model.state.thaws.map((thaw) => thaw.account))]
  return accounts.map((account) => {
    const exits = model.state.thaws.filter((thaw) => thaw.account === account)
    const words = exits.flatMap((thaw) => {
      const pool = model.getThawPool(thaw)
      return [undefined, undefined, BigInt(thaw.kind), toAssets(pool, model.liveShares(pool, thaw)), BigInt(thaw.releaseAt)]
    })
    return { account, exits, words: [32n, BigInt(exits.length), ...words] }
  })
}

function toTotalBond(model: StakingModel, role: number, epoch: number): bigint {
  return model.state.nodes.reduce((sum, node) => sum + (node.role === role ? model.getActiveBond(node, epoch) : 0n), 0n)
}

function sumBuckets({ freeWei, nodes, streams, undistributedWei }: ModelState): bigint {
  let wei = undistributedWei
  for (const free of freeWei) wei += free
  for (const { bondWei, rewardsWei, votes, thawingBond, thawingVotes, drip } of nodes) {
    wei += bondWei + rewardsWei + votes.assetsWei + thawingBond.assetsWei + thawingVotes.assetsWei + drip.waitingWei + drip.maturedWei
  }
  for (const role of roles) {
    const stream = streams[role]
    wei += stream.nextWei + (isRunning(stream) ? stream.rateWei * BigInt(stream.endsAt - stream.updatedAt) : 0n)
  }
  return wei
}

function toWord(flag: boolean): bigint {
  return flag ? 1n : 0n
}

function assertTrue(condition: boolean, message: string): void {
  if (!condition) throw new Error(`the model: ${message}`)
}

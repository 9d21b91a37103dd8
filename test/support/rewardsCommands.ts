import type { StakingModel } from './rewardsModel.ts'
import type { ClaimModel, KindNumber, RoleNumber, ThawModel } from './rewardsState.ts'

export const accountCount = 8
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

export function toStake(account: number, wei: bigint): Command {
  return toCommand(account, 'stake', [], wei, (model) => model.stake(account, wei), `stake ${wei}`)
}

export function toRegister(model: StakingModel, account: number, role: RoleNumber, shareBps: bigint, wei: bigint): Command {
  const { nonce } = model.getNode(account)
  const text = `register as ${role === 1 ? 'miner' : 'coordinator'} with ${wei}, voter share ${shareBps}`
  // The replay adds the operator's signature and the profile.
  return toCommand(account, 'register', [role, shareBps, wei, nonce], 0n, (m) => m.register(account, role, shareBps, wei), text)
}

export function toDeregister(account: number): Command {
  return toCommand(account, 'deregister', [], 0n, (model) => model.deregister(account))
}

export function toBond(account: number, wei: bigint): Command {
  return toCommand(account, 'bond', [wei], 0n, (model) => model.bond(account, wei))
}

export function toUnbond(account: number, wei: bigint): Command {
  return toCommand(account, 'unbond', [wei], 0n, (model) => model.unbond(account, wei))
}

export function toVote(account: number, node: number, wei: bigint): Command {
  const apply = (model: StakingModel) => [model.vote(account, node, wei)]
  return toCommand(account, 'vote', [toNode(node), wei, 0n], 0n, apply, `vote ${wei} for node ${node}`)
}

export function toUnvote(account: number, node: number, shares: bigint): Command {
  const apply = (model: StakingModel) => model.unvote(account, node, shares)
  return toCommand(account, 'unvote', [toNode(node), shares, 0n], 0n, apply, `unvote ${shares} shares of node ${node}`)
}

export function toWithdraw(account: number, thaws: readonly ThawModel[], freeWei: bigint | 'all'): Command {
  const exits = thaws.map(({ node, kind, releaseAt }) => ({ node, kind, releaseAt }))
  const wei = freeWei === 'all' ? 2n ** 256n - 1n : freeWei
  const text = `withdraw ${freeWei} and the exits ${exits.map(formatExit).join(', ')}`
  return toCommand(account, 'withdraw', [exits, wei, account], 0n, (model) => model.withdraw(account, thaws, freeWei), text)
}

export function toSetVoterShare(account: number, bps: bigint): Command {
  return toCommand(account, 'setVoterShare', [bps], 0n, (model) => model.setVoterShare(account, bps))
}

export function toFund(account: number, role: RoleNumber, wei: bigint): Command {
  return toCommand(account, 'fund', [role], wei, (model) => model.fund(role, wei), `fund ${role === 1 ? 'miners' : 'coordinators'} with ${wei}`)
}

export function toFundPool(account: number, wei: bigint): Command {
  return toCommand(account, 'fundPool', [], wei, (model) => model.fundPool(wei), `fund the pool with ${wei}`)
}

export function toPour(account: number): Command {
  return toCommand(account, 'pour', [], 0n, (model) => model.pour())
}

export function toSettle(node: number): Command {
  return toCommand(7, 'settle', [toNode(node)], 0n, (model) => model.settle(node), `settle node ${node}`)
}

export function toClaim(node: number): Command {
  return toCommand(node, 'claim', [toNode(node)], 0n, (model) => [model.claim(node)], 'claim')
}

export function toRest(node: number): Command {
  return toCommand(node, 'rest', [toNode(node)], 0n, (model) => model.rest(node), 'rest')
}

export function toRejoin(node: number): Command {
  return toCommand(node, 'rejoin', [toNode(node)], 0n, (model) => model.rejoin(node), 'rejoin')
}

export function toCreditIncome(node: number, wei: bigint): Command {
  const text = `income of ${wei} for node ${node}`
  return toCommand('payments', 'creditIncome', [toNode(node)], wei, (model) => model.creditIncome(node, wei), text)
}

export function toClaimBond(node: number, wei: bigint): Command {
  const apply = (model: StakingModel) => {
    const { takenWei, shares, generation } = model.claimBond(node, wei)
    return [takenWei, shares, generation]
  }
  return toCommand('payments', 'claimBond', [toNode(node), wei], 0n, apply, `claim ${wei} of the bond of node ${node}`)
}

export function toPayClaim(claim: ClaimModel, miner: number): Command {
  const args = [toNode(claim.node), claim.shares, claim.generation, toNode(miner)]
  const text = `pay the claim of ${claim.shares} shares on node ${claim.node} to node ${miner}`
  return toCommand('payments', 'payClaim', args, 0n, (model) => [model.payClaim(claim, miner)], text)
}

export function toReturnClaim(claim: ClaimModel): Command {
  const args = [toNode(claim.node), claim.shares, claim.generation]
  const text = `return the claim of ${claim.shares} shares to node ${claim.node}`
  return toCommand('payments', 'returnClaim', args, 0n, (model) => [model.returnClaim(claim)], text)
}

export function toPenalise(node: number, wei: bigint): Command {
  return toCommand('payments', 'penalise', [toNode(node), wei], 0n, (model) => [model.penalise(node, wei)], `penalise node ${node} by ${wei}`)
}

export function toSlash(node: number, wei: bigint, refillWei: bigint, cutBps: bigint): Command {
  const apply = (model: StakingModel) => {
    const { takenWei, paidWei } = model.slash(node, wei, refillWei, cutBps)
    return [takenWei, paidWei]
  }
  const text = `slash node ${node} by ${wei}, refill ${refillWei}, cut ${cutBps}`
  return toCommand('court', 'slash', [toNode(node), wei, refillWei, cutBps, 1n], 0n, apply, text)
}

export function toJail(node: number, until: number): Command {
  return toCommand('court', 'jail', [toNode(node), BigInt(until)], 0n, (model) => model.jail(node, until), `jail node ${node} until ${until}`)
}

export function toEpochs(name: 'suspend' | 'resume', node: number): Command {
  return toCommand('epochs', name, [toNode(node)], 0n, (model) => model[name](node), `${name} node ${node}`)
}

function toCommand(
  from: Sender,
  name: string,
  args: readonly unknown[],
  valueWei: bigint,
  act: (model: StakingModel) => unknown,
  text = `${name} ${args.join(' ')}`,
): Command {
  const apply = (model: StakingModel) => {
    const words = act(model)
    return Array.isArray(words) ? words : undefined
  }
  return { from, name, args, valueWei, apply, text: `${from}: ${text}` }
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

import { formatAmount } from '../../../src/domain/amount.ts'
import type { Stage } from './stage.ts'

const isOwner = (name: string) => !name.endsWith('-op')

/** Everybody takes out everything: claims, pay, rewards, escrow, votes, bonds. */
export async function leave(stage: Stage): Promise<void> {
  stage.scene('Everybody leaves and takes out everything')
  const { thawSeconds, dripSeconds } = await stage.chain.getParameters()
  const owners = stage.accounts.filter(({ name }) => isOwner(name))
  await stage.type(null, 'devnet', 'warp', `${thawSeconds + 1}s`)
  for (const { name, address } of owners) {
    if ((await stage.chain.getClaims({ miner: address })).length > 0) await stage.type(name, 'vouchers', 'collect')
    if (await isOwedByCourt(stage, name)) await stage.type(name, 'jury', 'collect')
    for (const { miner, redeemedWei, capWei } of await stage.chain.getLines({ coordinator: address }))
      if (capWei > redeemedWei) await stage.type(name, 'escrow', 'notice', miner, formatAmount(redeemedWei))
    for (const { node } of (await stage.chain.getAccount(address)).votes) await stage.type(name, 'unvote', node, 'all')
  }
  await stage.type(null, 'devnet', 'warp', `${Math.max(thawSeconds, dripSeconds) + 1}s`)
  for (const { name, address } of owners) {
    const { role } = await stage.chain.getNode(address)
    if (role === 'coordinator')
      for (const { miner, notice } of await stage.chain.getLines({ coordinator: address }))
        if (notice !== null) await stage.type(name, 'escrow', 'notice', miner)
    if (role !== 'none') await stage.type(name, 'node', 'deregister')
  }
  await stage.type(null, 'devnet', 'warp', `${thawSeconds + 1}s`)
  for (const { name, address } of owners) {
    if ((await stage.chain.getRewards(address)).ownerWei > 0n) await stage.type(name, 'claim')
    if (await isOwedByCourt(stage, name)) await stage.type(name, 'jury', 'collect')
    const { freeWei, thaws } = await stage.chain.getAccount(address)
    if (freeWei > 0n || thaws.length > 0) await stage.type(name, 'withdraw')
  }
}

async function isOwedByCourt(stage: Stage, name: string): Promise<boolean> {
  const address = stage.addressOf(name)
  const { latest } = await stage.chain.getBlocks()
  const { creditWei, cuts } = await stage.chain.getCredits(address)
  if (creditWei > 0n || cuts.some(({ releaseAt }) => releaseAt <= latest.timestamp)) return true
  const { node } = await stage.chain.getAccount(address)
  if (node === null) return false
  // Pay of coherent seats is credited by the same command.
  return (await listPay(stage, address)) > 0
}

async function listPay(stage: Stage, node: `0x${string}`): Promise<number> {
  const rounds = await stage.chain.listBallots(node)
  const seats = await Promise.all(rounds.map(({ caseId, round }) => stage.chain.getSeat(caseId, round, node)))
  const verdicts = await Promise.all(rounds.map(({ caseId }) => stage.chain.getDispute(caseId)))
  return seats.filter(({ vote, paid }, index) => !paid && verdicts[index]?.stage === 'closed' && vote === verdicts[index]?.verdict).length
}

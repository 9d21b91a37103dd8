import { loadKey, signVoucher } from '../../support/attacks.ts'
import type { Stage } from './stage.ts'
import { toCai } from './stage.ts'
import { workFor } from './work.ts'

/** Escrow pays a voucher at once, as the node's income. */
export async function playRedemption(stage: Stage, miner: string): Promise<void> {
  stage.scene(`${miner} redeems its voucher: escrow pays at once`)
  const listed = await stage.type(miner, 'vouchers', 'list')
  stage.say(`owed and signed for: ${toCai(String(listed['paidWei']))}`)
  const { paidWei, claimedWei } = await stage.type(miner, 'vouchers', 'redeem')
  if (BigInt(String(paidWei)) === 0n || String(claimedWei) !== '0') throw new Error(`paid ${paidWei}, claimed ${claimedWei}`)
  stage.say(`paid ${toCai(String(paidWei))}`)
  await stage.type(miner, 'claim')
  await stage.refuse('CUCKOO_CLI_NOTHING_TO_DO', miner, 'vouchers', 'redeem')
}

/** A coordinator takes its escrow back, and the miner is paid by its bond all the same. */
export async function playEmptyEscrow(stage: Stage, coordinator: string, miner: string): Promise<void> {
  stage.scene(`${coordinator} takes back its escrow. Its bond stands for what it still owes`)
  const { thawSeconds, topUpSeconds } = await stage.chain.getParameters()
  await stage.type(coordinator, 'escrow', 'withdraw', 'all')
  await stage.type(null, 'devnet', 'warp', `${thawSeconds + 1}s`)
  await stage.type(coordinator, 'escrow', 'withdraw')
  const { escrowWei, openWei } = await stage.chain.getEscrow(stage.addressOf(coordinator))
  stage.say(`escrow ${toCai(escrowWei)}, open lines ${toCai(openWei)}`)
  await workFor(stage, [miner])
  const { paidWei, claimedWei } = await stage.type(miner, 'vouchers', 'redeem')
  if (String(paidWei) !== '0' || BigInt(String(claimedWei)) === 0n) throw new Error(`paid ${paidWei}, claimed ${claimedWei}`)
  stage.say(`${toCai(String(claimedWei))} wait in the thaw queue of the bond`)
  await stage.refuse('CUCKOO_CLI_NOTHING_TO_DO', miner, 'vouchers', 'collect')
  stage.say(`nobody covers it within ${topUpSeconds} s: a tenth more is lost to the reward pool when it is collected`)
}

/** A coordinator signs its own miner a voucher over half the bond, to get it out at once. */
export async function playEvacuation(stage: Stage, coordinator: string, accomplice: string): Promise<void> {
  stage.scene(`${coordinator} tries to get its bond out by a voucher to its own miner`)
  const address = stage.addressOf(coordinator)
  const { bondWei } = await stage.chain.getNode(address)
  await stage.type(coordinator, 'escrow', 'raise', accomplice, '1000000')
  const operator = await loadKey(stage.home, `${coordinator}-op`)
  const cumulativeWei = 1_000_000n * 10n ** 18n
  const { latest } = await stage.chain.getBlocks()
  const signed = signVoucher(
    { coordinator: address, miner: stage.addressOf(accomplice), cumulativeWei, issuedAt: BigInt(latest.timestamp) },
    operator,
    stage.chain.domainSeparator,
  )
  stage.say('(no cuckoo would sign this voucher for no work: it is signed with the key, and redeemed from a script)')
  const report = await stage.chain.redeem(await loadKey(stage.home, accomplice), { vouchers: [signed] })
  const [claim] = (await stage.chain.getClaims({ miner: stage.addressOf(accomplice) })).slice(-1)
  if (claim === undefined) throw new Error('no claim')
  const after = await stage.chain.getNode(address)
  stage.say(`block ${report.blockNumber}: ${toCai(claim.amountWei)} are claimed, and wait one thaw behind any slash, like every other exit`)
  if (after.bondWei + after.thawingBondWei < bondWei) throw new Error('bond has left')
  await stage.refuse('CUCKOO_CLI_NOTHING_TO_DO', accomplice, 'vouchers', 'collect')
  await stage.refuse('CUCKOO_STAKING_BOND_COMMITTED', coordinator, 'node', 'deregister')
}

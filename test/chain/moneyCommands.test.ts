import { beforeEach, describe, expect, it } from 'vitest'
import { commandEntries } from '../../src/cli/commands/index.ts'
import { findTopic } from '../../src/cli/topics.ts'
import { toDigest } from '../../src/domain/eip712.ts'
import { voucher as voucherStructure } from '../../src/domain/signedStructures.ts'
import type { CoordinatorPayments } from '../../src/domain/storePorts.ts'
import { createChainCommands } from '../support/chainCommands.ts'
import { cai, type TestNetwork, testParameters, useTestNetwork } from '../support/chainFixtures.ts'

const network = useTestNetwork()
const { thawSeconds, topUpSeconds, rewardSeconds } = testParameters

/** Owners and operators of a coordinator and a miner, a voter, and somebody who gives. */
const toParties = ({ signer }: TestNetwork) => ({
  coordinator: { owner: signer(1), operator: signer(2) },
  miner: { owner: signer(3), operator: signer(4) },
  voter: signer(5),
  giver: signer(6),
})

let payments: CoordinatorPayments[] = []
const { cuckoo, run, played } = createChainCommands(network, { readPayments: async () => payments })

/** The miner's store holds the coordinator's voucher over `cumulativeWei`. */
async function holdVoucher(cumulativeWei: bigint): Promise<void> {
  const { chain, now } = network()
  const { coordinator, miner } = toParties(network())
  const voucher = { coordinator: coordinator.owner.address, miner: miner.owner.address, cumulativeWei, issuedAt: BigInt(await now()) }
  const signature = coordinator.operator.sign(toDigest(chain.domainSeparator, voucherStructure, voucher))
  payments = [
    { coordinator: coordinator.owner.address, owedWei: cumulativeWei, results: 3, unpaidResults: 0, voucher: { voucher, signature }, paymentRecord: 1 },
  ]
}

beforeEach(async () => {
  const { registerCoordinator, registerMiner } = network()
  const { coordinator, miner } = toParties(network())
  await registerCoordinator(coordinator)
  await registerMiner(miner)
  payments = []
})

describe('rewards', () => {
  it('are funded, earned by owner and voters, and claimed by the operator for the owner', async () => {
    const { warp, chain } = network()
    const { miner, voter, giver } = toParties(network())
    const node = miner.owner.address
    await run(voter, 'stake', '5000')
    expect(await run(giver, 'fund', 'miner', '120')).toMatchObject({ action: 'fund', flowsWei: String(cai(120)) })
    const { preview } = (await run(voter, 'vote', node, '5000', '--dry-run')) as { preview: { yield: { yearlyWei: string } } }
    // 1 CAI per second for a year, to one node; a tenth of it is the voters', who are this one.
    expect(preview).toMatchObject({ exposureWei: String(cai(100)), slashes: 0, shareDrop: null, yield: { yearlyWei: String(cai(31_536_000) / 10n) } })
    await run(voter, 'vote', node, '5000')
    await warp(rewardSeconds)
    const { claimableWei } = await run(miner.owner, 'rewards')
    expect(await run(miner.operator, 'claim')).toMatchObject({ node, amountWei: claimableWei })
    expect((await chain.getAccount(node)).freeWei).toBe(BigInt(claimableWei as string))
    expect(BigInt(claimableWei as string)).toBeGreaterThan(cai(107))
    const value = (await run(miner.owner, 'rewards')) as { claimableWei: string; earnings: { ownerRewardsWei: string; claimedWei: string }[] }
    expect(value.claimableWei).toBe('0')
    expect(value.earnings.reduce((sum, { ownerRewardsWei }) => sum + BigInt(ownerRewardsWei), 0n)).toBe(BigInt(claimableWei as string))
    expect((await cuckoo(miner.owner, 'claim')).error).toMatchObject({ code: 'CUCKOO_CLI_NOTHING_TO_DO' })
  })

  it('stop while a node rests', async () => {
    const { miner } = toParties(network())
    await run(miner.operator, 'node', 'rest')
    expect(await run(miner.owner, 'status')).toMatchObject({ node: { active: false, away: true } })
    expect(await run(miner.owner, 'node', 'show')).toMatchObject({ weightWei: '0' })
    expect(await run(miner.operator, 'node', 'rejoin')).toMatchObject({ active: true })
    expect(await run(miner.owner, 'status')).toMatchObject({ node: { active: true, away: false } })
  })
})

describe('payments', () => {
  it('come from escrow at once, from the bond a thaw later, and leave by notice and thaw', async () => {
    const { warp, chain } = network()
    const { coordinator, miner, giver } = toParties(network())
    const [payer, node] = [coordinator.owner.address, miner.owner.address]

    await run(giver, 'escrow', 'deposit', '10', '--coordinator', payer)
    expect((await cuckoo(coordinator.operator, 'escrow', 'raise', node, '16')).error).toMatchObject({ code: 'CUCKOO_CLI_NOTHING_TO_DO' })
    expect(await run(coordinator.owner, 'escrow', 'raise', node, '16')).toMatchObject({ lineWei: String(cai(16)) })
    expect(await run(coordinator.operator, 'escrow', 'lines')).toMatchObject({ spareWei: String(cai(10 + 1_050_000 - 16)) })

    await holdVoucher(cai(14))
    expect(await run(miner.operator, 'vouchers', 'list')).toMatchObject({ paidWei: String(cai(10)), claimedWei: String(cai(4)) })
    expect(await run(miner.operator, 'vouchers', 'redeem')).toMatchObject({ paidWei: String(cai(10)), claimedWei: String(cai(4)) })
    expect((await cuckoo(giver, 'vouchers', 'redeem', node)).error).toMatchObject({ code: 'CUCKOO_CLI_NOTHING_TO_DO' })

    await run(coordinator.owner, 'escrow', 'deposit', '4')
    expect(await run(giver, 'escrow', 'cover', '--coordinator', payer)).toMatchObject({ coveredWei: String(cai(4)), penaltyWei: '0', left: [] })

    await holdVoucher(cai(16))
    await run(miner.owner, 'vouchers', 'redeem')
    await warp(topUpSeconds)
    const shown = (await run(coordinator.owner, 'escrow', 'show')) as { requiredBondWei: string; claims: { amountWei: string; penalised: boolean }[] }
    expect(shown.claims).toMatchObject([{ amountWei: String(cai(2)), penalised: false }])
    expect(shown.requiredBondWei).toBe(String(cai(2) / 10n + 1n))
    expect((await cuckoo(miner.owner, 'vouchers', 'collect')).error).toMatchObject({ code: 'CUCKOO_CLI_NOTHING_TO_DO' })
    await warp(thawSeconds)
    expect(await run(miner.owner, 'status')).toMatchObject({ releases: [{ what: 'rewards' }, { what: 'claim', released: true, command: 'vouchers collect' }] })
    await run(giver, 'vouchers', 'collect', node)
    expect((await chain.getRewards(node)).ownerWei).toBe(cai(16))
    expect(await run(coordinator.owner, 'status')).toMatchObject({
      slashes: [{ caseId: '0', bondWei: String(cai(2) / 10n) }],
      bondWei: String(cai(2_099_998) - cai(2) / 10n),
    })
    expect(await run(giver, 'pour')).toMatchObject({ minersWei: String(cai(1) / 10n), coordinatorsWei: String(cai(1) / 10n) })

    await run(coordinator.owner, 'escrow', 'raise', node, '4')
    await run(coordinator.operator, 'escrow', 'notice', node, '17')
    expect((await cuckoo(coordinator.owner, 'escrow', 'notice', node)).error).toMatchObject({ code: 'CUCKOO_CLI_NOTHING_TO_DO' })
    await warp(thawSeconds)
    expect(await run(coordinator.owner, 'escrow', 'notice', node)).toMatchObject({ applied: true, capWei: String(cai(17)) })

    await run(coordinator.owner, 'escrow', 'deposit', '3')
    expect(await run(coordinator.owner, 'escrow', 'withdraw', 'all')).toMatchObject({ taken: null, asked: { amountWei: String(cai(3)) } })
    expect((await cuckoo(coordinator.owner, 'escrow', 'withdraw')).error).toMatchObject({ code: 'CUCKOO_CLI_NOTHING_TO_DO' })
    await warp(thawSeconds)
    expect(await run(coordinator.owner, 'escrow', 'withdraw')).toMatchObject({ taken: { amountWei: String(cai(3)) }, asked: null })
    expect(await run(coordinator.owner, 'escrow', 'show')).toMatchObject({ escrowWei: '0', openWei: String(cai(1)), requiredBondWei: String(cai(2)) })
  })
})

describe('every command about money', () => {
  it('was played above', () => {
    const paths = commandEntries.flatMap(({ path }) => (findTopic(path) === 'Earn' ? [path] : []))
    expect([...paths, 'node rest', 'node rejoin'].filter((path) => !played.has(path))).toEqual([])
  })
})

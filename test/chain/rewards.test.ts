import { encodeFunctionData } from 'viem'
import { expect, test } from 'vitest'
import { stakingAbi } from '../../src/chain/contracts.generated.ts'
import type { EarningRecord } from '../../src/domain/chainPort.ts'
import * as errors from '../../src/errors/staking.ts'
import { cai, testParameters, useTestNetwork } from '../support/chainFixtures.ts'
import { signVoucher } from '../support/signedFixtures.ts'

const network = useTestNetwork()

test('a funded stream is earned by weight, and claimed into free', async () => {
  const { chain, signer, registerMiner, warp, now } = network()
  await registerMiner({ owner: signer(1), operator: signer(2), bondWei: cai(25_000), voterShareBps: 0 })
  await registerMiner({ owner: signer(3), operator: signer(4), bondWei: cai(75_000), voterShareBps: 0 })
  const period = BigInt(testParameters.rewardSeconds)
  await chain.fund(signer(5), { role: 'miner', amountWei: cai(120) })
  const startedAt = await now()
  expect(await chain.getStream('miner')).toEqual({
    rateWei: cai(120) / period,
    endsAt: startedAt + testParameters.rewardSeconds,
    nextWei: 0n,
    weightWei: cai(100_000),
  })
  expect(await chain.getStream('coordinator')).toMatchObject({ rateWei: 0n, weightWei: 0n })
  await chain.fund(signer(5), { role: 'miner', amountWei: cai(60) })
  expect(await chain.getStream('miner')).toMatchObject({ rateWei: cai(120) / period, nextWei: cai(60) })
  await warp(testParameters.rewardSeconds * 3)
  expect((await chain.getRewards(signer(1).address)).ownerWei).toBeGreaterThan(cai(45) - 100n)
  expect((await chain.getRewards(signer(3).address)).ownerWei).toBeLessThanOrEqual(cai(135))
  // By the operator, to the owner.
  const { ownerWei } = await chain.getRewards(signer(1).address)
  expect((await chain.getAccount(signer(1).address)).rewardsWei).toBe(ownerWei)
  const report = await chain.claim(signer(2), { node: signer(1).address })
  expect(report.action).toBe('claim')
  expect(await chain.getAccount(signer(1).address)).toMatchObject({ freeWei: ownerWei, rewardsWei: 0n })
  await expect(chain.claim(signer(9), { node: signer(1).address })).rejects.toMatchObject({ code: errors.notActing.code })
})

test('voters get their share of income over the drip, and earnings are told per epoch', async () => {
  const { chain, signer, registerMiner, registerCoordinator, warp, now } = network()
  const [coordinator, miner] = [{ owner: signer(1), operator: signer(2) }, signer(3).address]
  await registerCoordinator(coordinator)
  await registerMiner({ owner: signer(3), operator: signer(4), voterShareBps: 2_500 })
  await chain.stake(signer(5), { amountWei: cai(1_000) })
  await chain.vote(signer(5), { node: miner, amountWei: cai(1_000), minShares: 0n })
  await chain.depositEscrow(signer(8), { coordinator: coordinator.owner.address, amountWei: cai(100) })
  await chain.raiseLines(coordinator.owner, { coordinator: coordinator.owner.address, lines: [{ miner, addedWei: cai(100) }] })
  await chain.redeem(signer(9), { vouchers: [signVoucher(chain, coordinator, miner, cai(40), await now())] })
  const redeemedAt = await now()
  expect(await chain.getRewards(miner)).toEqual({
    node: miner,
    ownerWei: cai(30),
    drip: { waitingWei: cai(10), endsAt: redeemedAt + testParameters.dripSeconds },
  })
  await warp(testParameters.dripSeconds)
  const [position] = (await chain.getAccount(signer(5).address)).votes
  expect(position?.amountWei).toBeGreaterThan(cai(1_010) - 1_000n)
  await warp(testParameters.epochSeconds * 2)
  await chain.claim(signer(3), { node: miner })
  const claimedAt = await now()
  const toEpoch = (at: number) => at - (at % testParameters.epochSeconds)
  const zero = { ownerRewardsWei: 0n, votersRewardsWei: 0n, ownerIncomeWei: 0n, votersIncomeWei: 0n, claimedWei: 0n }
  const earnings = await chain.getEarnings(miner)
  expect(earnings[0]).toEqual({ ...zero, startsAt: toEpoch(redeemedAt), ownerIncomeWei: cai(30), votersIncomeWei: cai(10) })
  expect(earnings.at(-1)).toMatchObject({ startsAt: toEpoch(claimedAt), claimedWei: cai(30) })
  // What dripped is income, and was counted as such: nobody has funded a stream.
  expect(earnings.map(({ ownerRewardsWei, votersRewardsWei }) => [ownerRewardsWei, votersRewardsWei])).toEqual(earnings.map(() => [0n, 0n]))
  expect(await chain.getEarnings(signer(1).address)).toEqual([])

  // With a stream and more income at once, each is told for itself.
  await chain.fund(signer(9), { role: 'miner', amountWei: cai(120) })
  await chain.redeem(signer(9), { vouchers: [signVoucher(chain, coordinator, miner, cai(60), await now())] })
  await warp(20)
  await chain.redeem(signer(9), { vouchers: [signVoucher(chain, coordinator, miner, cai(80), await now())] })
  // A claim in the middle leaves the drip alone; a vote settles it.
  await warp(7)
  await chain.claim(signer(3), { node: miner })
  await warp(11)
  await chain.stake(signer(5), { amountWei: cai(5) })
  await chain.vote(signer(5), { node: miner, amountWei: cai(5), minShares: 0n })
  await warp(testParameters.rewardSeconds * 2)
  await chain.claim(signer(3), { node: miner })
  const sum = (of: (record: EarningRecord) => bigint, records: EarningRecord[]) => records.reduce((total, record) => total + of(record), 0n)
  const all = await chain.getEarnings(miner)
  expect(sum(({ ownerIncomeWei }) => ownerIncomeWei, all)).toBe(cai(60))
  expect(sum(({ votersIncomeWei }) => votersIncomeWei, all)).toBe(cai(20))
  const [owner, voters] = [sum(({ ownerRewardsWei }) => ownerRewardsWei, all), sum(({ votersRewardsWei }) => votersRewardsWei, all)]
  for (const dust of [cai(120) - (owner + voters), cai(30) - voters]) {
    expect(dust).toBeGreaterThanOrEqual(0n)
    expect(dust).toBeLessThan(1_000n)
  }
  expect(sum(({ claimedWei }) => claimedWei, all)).toBe(owner + cai(60))
})

test('who rests earns nothing until it rejoins', async () => {
  const { chain, signer, registerMiner, warp } = network()
  await registerMiner({ owner: signer(1), operator: signer(2) })
  const node = signer(1).address
  await chain.rest(signer(2), { node })
  expect(await chain.getNode(node)).toMatchObject({ active: false, away: true, suspended: false, jailedUntil: 0, weightWei: 0n })
  await chain.fund(signer(5), { role: 'miner', amountWei: cai(10) })
  await warp(60)
  expect((await chain.getRewards(node)).ownerWei).toBe(0n)
  await expect(chain.rejoin(signer(9), { node })).rejects.toMatchObject({ code: errors.notActing.code, kind: 'denied' })
  await chain.rejoin(signer(1), { node })
  expect(await chain.getNode(node)).toMatchObject({ active: true, away: false, weightWei: cai(25_000) })
})

test('the pool is poured to both streams', async () => {
  const { chain, signer, deployment, anvil } = network()
  expect(await chain.getUndistributed()).toBe(0n)
  const data = encodeFunctionData({ abi: stakingAbi, functionName: 'fundPool' })
  await anvil.sendAs(signer(5).address, { to: deployment.contracts.staking, data, value: '0x5' })
  expect(await chain.getUndistributed()).toBe(5n)
  await chain.pour(signer(5), {})
  expect(await chain.getUndistributed()).toBe(0n)
  expect(await chain.getStream('miner')).toMatchObject({ nextWei: 3n })
  expect(await chain.getStream('coordinator')).toMatchObject({ nextWei: 2n })
})

test('a lower voter share that waits is told until it counts, or is forgotten', async () => {
  const { chain, signer, registerMiner, warp, now } = network()
  const node = signer(1).address
  await registerMiner({ owner: signer(1), operator: signer(2), voterShareBps: 4_000 })
  expect(await chain.findShareDrop(node)).toBeNull()
  await chain.setVoterShare(signer(1), { voterShareBps: 1_000 })
  const effectiveAt = (await now()) + testParameters.thawSeconds
  expect(await chain.findShareDrop(node)).toEqual({ voterShareBps: 1_000, effectiveAt })
  await chain.setVoterShare(signer(1), { voterShareBps: 4_000 })
  expect(await chain.findShareDrop(node)).toBeNull()
  await chain.setVoterShare(signer(1), { voterShareBps: 1_000 })
  await warp(testParameters.thawSeconds)
  expect(await chain.findShareDrop(node)).toBeNull()
  await chain.setVoterShare(signer(1), { voterShareBps: 500 })
  await chain.deregister(signer(1))
  await registerMiner({ owner: signer(1), operator: signer(2), voterShareBps: 2_000 })
  expect(await chain.findShareDrop(node)).toBeNull()
})

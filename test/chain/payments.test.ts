import { describe, expect, test } from 'vitest'
import type { Address } from '../../src/domain/hex.ts'
import * as errors from '../../src/errors/payments.ts'
import { bondCommitted } from '../../src/errors/staking.ts'
import { cai, testParameters, testThawSeconds, useTestNetwork } from '../support/chainFixtures.ts'
import { type Party, signVoucher } from '../support/signedFixtures.ts'

const network = useTestNetwork()
const nobody: Address = `0x${'ab'.repeat(20)}`

/** A coordinator (accounts 1 and 2) with 100 CAI of escrow and two miners (3 and 4, 5 and 6). */
async function prepare(escrowWei = cai(100)) {
  const { chain, signer, registerMiner, registerCoordinator } = network()
  const party = (index: number): Party => ({ owner: signer(index), operator: signer(index + 1) })
  const [coordinator, first, second] = [party(1), party(3), party(5)] as const
  await registerCoordinator(coordinator)
  await registerMiner({ ...first, voterShareBps: 0 })
  await registerMiner({ ...second, voterShareBps: 0 })
  if (escrowWei > 0n) await chain.depositEscrow(signer(8), { coordinator: coordinator.owner.address, amountWei: escrowWei })
  return { coordinator, first: first.owner.address, second: second.owner.address, address: coordinator.owner.address }
}

const withCode = (factory: { code: string }, facts?: object) =>
  expect.objectContaining({ code: factory.code, ...(facts && { facts: expect.objectContaining(facts) }) })

describe('escrow', () => {
  test('is deposited by anybody, asked back, and paid after a thaw', async () => {
    const { chain, warp, now, deployment } = network()
    const { coordinator, address } = await prepare()
    expect(await chain.getEscrow(address)).toEqual({
      coordinator: address,
      escrowWei: cai(100),
      thawingWei: 0n,
      releaseAt: null,
      openWei: 0n,
      claimsWei: 0n,
      requiredBondWei: 0n,
    })
    const report = await chain.requestEscrow(coordinator.owner, { amountWei: cai(40) })
    expect(report).toMatchObject({ action: 'requestWithdrawal', to: deployment.contracts.payments })
    const releaseAt = (await now()) + testThawSeconds
    expect(await chain.getEscrow(address)).toMatchObject({ escrowWei: cai(100), thawingWei: cai(40), releaseAt })
    await expect(chain.withdrawEscrow(coordinator.owner, { to: nobody })).rejects.toEqual(withCode(errors.escrowNotReleased, { releaseAt }))
    await warp(testThawSeconds)
    await chain.withdrawEscrow(coordinator.owner, { to: nobody })
    expect((await chain.getAccount(nobody)).walletWei).toBe(cai(40))
    expect(await chain.getEscrow(address)).toMatchObject({ escrowWei: cai(60), thawingWei: 0n, releaseAt: null })
  })

  test('refuses strangers, nothing, and more than there is', async () => {
    const { chain, signer } = network()
    const { coordinator, first } = await prepare()
    await expect(chain.depositEscrow(signer(8), { coordinator: first, amountWei: 1n })).rejects.toEqual(withCode(errors.notCoordinator, { node: first }))
    await expect(chain.requestEscrow(coordinator.owner, { amountWei: 0n })).rejects.toEqual(withCode(errors.amountZero))
    const tooMuch = chain.requestEscrow(coordinator.owner, { amountWei: cai(101) })
    await expect(tooMuch).rejects.toEqual(withCode(errors.escrowTooLow, { availableCai: '100', neededCai: '101', missingCai: '1' }))
    const nothing = await chain.withdrawEscrow(coordinator.owner, { to: nobody }).catch((error) => error)
    expect(nothing).toEqual(withCode(errors.escrowNotReleased))
    expect(nothing.message).toBe('Nothing of the escrow is asked back.')
  })
})

describe('lines', () => {
  test('are listed by either party, in the order in which they were opened', async () => {
    const { chain } = network()
    const { coordinator, first, second, address } = await prepare()
    const lines = [
      { miner: second, addedWei: cai(10) },
      { miner: first, addedWei: cai(20) },
    ]
    await chain.raiseLines(coordinator.operator, { coordinator: address, lines })
    await chain.raiseLines(coordinator.operator, { coordinator: address, lines: [{ miner: second, addedWei: cai(5) }] })
    const toLine = (miner: Address, capWei: bigint) => ({ coordinator: address, miner, capWei, redeemedWei: 0n, lineWei: capWei, notice: null })
    expect(await chain.getLines({ coordinator: address })).toEqual([toLine(second, cai(15)), toLine(first, cai(20))])
    expect(await chain.getLines({ miner: first })).toEqual([await chain.getLine(address, first)])
    expect(await chain.getLines({ miner: nobody })).toEqual([])
    expect(await chain.getEscrow(address)).toMatchObject({ openWei: cai(35) })
  })

  test('shrink one thaw after notice', async () => {
    const { chain, warp, now } = network()
    const { coordinator, first, address } = await prepare()
    await chain.raiseLines(coordinator.owner, { coordinator: address, lines: [{ miner: first, addedWei: cai(20) }] })
    const input = { coordinator: address, miner: first }
    await expect(chain.applyNotice(coordinator.owner, input)).rejects.toEqual(withCode(errors.noNotice))
    await chain.noticeLine(coordinator.operator, { ...input, capWei: cai(5) })
    const at = (await now()) + testThawSeconds
    expect(await chain.getLine(address, first)).toMatchObject({ lineWei: cai(20), notice: { capWei: cai(5), at } })
    await expect(chain.applyNotice(coordinator.owner, input)).rejects.toEqual(withCode(errors.noticeNotOver, { noticeAt: at }))
    await warp(testThawSeconds)
    expect(await chain.getLine(address, first)).toMatchObject({ capWei: cai(20), lineWei: cai(5) })
    await chain.applyNotice(coordinator.owner, input)
    expect(await chain.getLine(address, first)).toMatchObject({ capWei: cai(5), lineWei: cai(5), notice: null })
    await expect(chain.noticeLine(coordinator.owner, { ...input, capWei: cai(6) })).rejects.toEqual(withCode(errors.capInvalid, { highestCai: '5' }))
  })

  test('stay within escrow, and for the owner half of the bond', async () => {
    const { chain, signer } = network()
    const { coordinator, first, address } = await prepare()
    const raise = (by: typeof coordinator.owner, addedWei: bigint) => chain.raiseLines(by, { coordinator: address, lines: [{ miner: first, addedWei }] })
    await expect(raise(coordinator.operator, cai(101))).rejects.toEqual(withCode(errors.coverTooLow, { coverCai: '100', neededCai: '101', missingCai: '1' }))
    await expect(raise(signer(9), 1n)).rejects.toEqual(withCode(errors.notActing, { node: address }))
    await raise(coordinator.owner, cai(101))
    expect(await chain.getEscrow(address)).toMatchObject({ requiredBondWei: cai(2) })
    await expect(chain.unbond(coordinator.owner, { amountWei: cai(2_100_000) - 1n })).rejects.toEqual(
      withCode(bondCommitted, { remainingCai: '0.000000000000000001', requiredCai: '2' }),
    )
    await expect(chain.raiseLines(coordinator.owner, { coordinator: address, lines: [{ miner: nobody, addedWei: 1n }] })).rejects.toEqual(
      withCode(errors.notMiner),
    )
  })
})

describe('vouchers', () => {
  test('are redeemed in a batch for the difference, up to the line, and become income', async () => {
    const { chain, signer, now } = network()
    const { coordinator, first, second, address } = await prepare()
    const lines = [first, second].map((miner) => ({ miner, addedWei: cai(30) }))
    await chain.raiseLines(coordinator.owner, { coordinator: address, lines })
    expect(await chain.previewRedeem(address, first, cai(40))).toEqual({ paidWei: cai(30), claimedWei: 0n })
    const sign = async (miner: Address, wei: bigint) => signVoucher(chain, coordinator, miner, wei, await now())
    await chain.redeem(signer(9), { vouchers: [await sign(first, cai(10)), await sign(second, cai(12)), await sign(first, cai(15))] })
    await chain.redeem(signer(9), { vouchers: [await sign(first, cai(40))] })
    expect(await chain.getLine(address, first)).toMatchObject({ capWei: cai(30), redeemedWei: cai(30), lineWei: 0n })
    expect(await chain.getRewards(first)).toEqual({ node: first, ownerWei: cai(30), drip: { waitingWei: 0n, endsAt: expect.any(Number) } })
    expect((await chain.getNode(second)).rewardsWei).toBe(cai(12))
    expect(await chain.getEscrow(address)).toMatchObject({ escrowWei: cai(58), openWei: cai(18) })
    const foreign = { ...(await sign(first, cai(99))), signature: (await sign(second, cai(99))).signature }
    const other = { ...foreign, voucher: { ...foreign.voucher, miner: second } }
    await expect(chain.redeem(signer(9), { vouchers: [{ ...other, signature: foreign.signature.replace(/..$/, '00') as `0x${string}` }] })).rejects.toEqual(
      withCode(errors.signatureInvalid, { node: address }),
    )
  })

  test('what escrow lacks waits behind the bond: covered, penalised, collected', async () => {
    const { chain, signer, now, warp } = network()
    const { coordinator, first, second, address } = await prepare(cai(10))
    const lines = [first, second].map((miner) => ({ miner, addedWei: cai(40) }))
    await chain.raiseLines(coordinator.owner, { coordinator: address, lines })
    const issuedAt = await now()
    expect(await chain.previewRedeem(address, first, cai(30))).toEqual({ paidWei: cai(10), claimedWei: cai(20) })
    await chain.redeem(signer(9), { vouchers: [signVoucher(chain, coordinator, first, cai(30), issuedAt)] })
    const openedAt = await now()
    await chain.redeem(signer(9), { vouchers: [signVoucher(chain, coordinator, second, cai(40), issuedAt)] })
    const [claim] = await chain.getClaims({ miner: first })
    expect(claim).toEqual({
      id: 1n,
      coordinator: address,
      miner: first,
      amountWei: cai(20),
      worthWei: cai(20),
      coverUntil: openedAt + testParameters.topUpSeconds,
      releaseAt: openedAt + testThawSeconds,
      penalised: false,
    })
    expect((await chain.getClaims({ coordinator: address })).map(({ id, amountWei }) => [id, amountWei])).toEqual([
      [1n, cai(20)],
      [2n, cai(40)],
    ])
    expect(await chain.getNode(address)).toMatchObject({ thawingBondWei: cai(60) })

    // One is covered in time.
    await chain.depositEscrow(signer(8), { coordinator: address, amountWei: cai(20) })
    await chain.coverClaims(signer(8), { claimIds: [1n] })
    expect((await chain.getClaims({ coordinator: address })).map(({ id }) => id)).toEqual([2n])
    await expect(chain.coverClaims(signer(8), { claimIds: [1n] })).rejects.toEqual(withCode(errors.claimUnknown, { claimId: 1n }))

    // The other is not.
    await expect(chain.penaliseClaim(signer(9), { claimId: 2n })).rejects.toEqual(withCode(errors.claimNotDue))
    await warp(testParameters.topUpSeconds)
    const penalty = await chain.penaliseClaim(signer(9), { claimId: 2n })
    expect(await chain.getClaims({ miner: second })).toMatchObject([{ penalised: true }])
    expect(await chain.getUndistributed()).toBe(cai(4))
    expect(await chain.getSlashes(address)).toEqual([
      {
        node: address,
        caseId: 0n,
        bondWei: cai(4),
        thawingBondWei: 0n,
        votesWei: 0n,
        at: await now(),
        blockNumber: penalty.blockNumber,
        transaction: penalty.hash,
        reason: 'claim 2 on its bond was not covered in time',
        evidence: [],
      },
    ])
    await expect(chain.collectClaim(signer(9), { claimId: 2n })).rejects.toEqual(withCode(errors.claimNotReleased))
    await warp(testThawSeconds)
    await chain.collectClaim(signer(9), { claimId: 2n })
    expect(await chain.getClaims({ coordinator: address })).toEqual([])
    expect((await chain.getRewards(second)).ownerWei).toBe(cai(40))
  })
})

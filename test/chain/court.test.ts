import { createPublicClient, http } from 'viem'
import { describe, expect, test } from 'vitest'
import { courtAbi } from '../../src/chain/contracts.generated.ts'
import type { SeatRecord, Vote } from '../../src/domain/dispute.ts'
import type { Address, Hash } from '../../src/domain/hex.ts'
import { toAssignmentDigest } from '../../src/domain/receipt.ts'
import * as errors from '../../src/errors/court.ts'
import { stillJailed } from '../../src/errors/staking.ts'
import { cai, testParameters, testThawSeconds, useTestNetwork } from '../support/chainFixtures.ts'
import { type Party, signReceipt, toEvidence } from '../support/signedFixtures.ts'

const network = useTestNetwork()
const nobody: Address = `0x${'ab'.repeat(20)}`
const salt: Hash = `0x${'5a'.repeat(32)}`
const { sealSeconds, commitSeconds, revealSeconds, appealSeconds, epochSeconds } = testParameters

/** A coordinator, an accused miner, and three jurors of 100,000 CAI each (owners and operators are the same account), an epoch later. */
async function prepare() {
  const { chain, signer, registerMiner, registerCoordinator, warp, warpTo } = network()
  const party = (index: number): Party => ({ owner: signer(index), operator: signer(index) })
  const [coordinator, miner] = [party(1), party(2)] as const
  const jurors = [3, 4, 5].map(party)
  await registerCoordinator(coordinator)
  await registerMiner({ ...miner, bondWei: cai(50_000) })
  for (const juror of jurors) await registerMiner({ ...juror, bondWei: cai(100_000) })
  await warp(epochSeconds)
  // Bonds can be read for two epochs after the one that a round refers to. From here on the second round opens after this epoch.
  await warpTo(20, epochSeconds)
  return { coordinator, miner, jurors, challenger: signer(8), accused: miner.owner.address, chain }
}

async function sign(parties: { coordinator: Party; miner: Party }, output = 'a lie', change: { taskId?: Hash; issuedAt?: bigint } = {}) {
  const evidence = toEvidence(output)
  const issuedAt = BigInt(await network().now())
  return { evidence, receipt: signReceipt(network().chain, parties, evidence, { issuedAt, ...change }) }
}

type Prepared = Awaited<ReturnType<typeof prepare>>

async function challenge(prepared: Prepared, change: Parameters<typeof sign>[2] = {}) {
  const { chain, challenger, accused } = prepared
  const signed = await sign(prepared, 'a lie', change)
  const bondWei = await chain.getChallengeBond(accused)
  const report = await chain.challenge(challenger, { ...signed, bondWei })
  const caseId = (await chain.listOpenDisputes())[0]?.caseId ?? 0n
  return { ...signed, bondWei, report, caseId }
}

/** Seals the present round, and lets all jurors vote as told; those without a vote are silent. Ends when the round can be concluded. */
async function hear({ chain, jurors, challenger }: Prepared, caseId: bigint, votes: readonly (Vote | null)[]): Promise<SeatRecord[]> {
  const { warp } = network()
  const { round } = await chain.getDispute(caseId)
  await warp(sealSeconds)
  await chain.sealRound(challenger, { caseId, proof: '0x' })
  const seats = await Promise.all(jurors.map(({ owner }) => chain.getSeat(caseId, round, owner.address)))
  const voting = jurors.flatMap(({ owner }, index) => {
    const vote = votes[index]
    return vote && (seats[index]?.seats ?? 0) > 0 ? [{ owner, ballot: { caseId, round, node: owner.address, vote, salt } }] : []
  })
  for (const { owner, ballot } of voting) {
    await chain.commitVote(owner, { caseId, node: ballot.node, commitment: chain.toVoteCommitment(ballot) })
  }
  await warp(commitSeconds)
  for (const { owner, ballot } of voting) await chain.revealVote(owner, ballot)
  await warp(revealSeconds)
  return seats
}

describe('reports', () => {
  test('a miner that signed two results loses half its bond, and the reporter has a cut after a thaw', async () => {
    const prepared = await prepare()
    const { chain, coordinator, miner, challenger, accused } = prepared
    const { now, warp } = network()
    const [first, other] = [await sign({ coordinator, miner }), await sign({ coordinator, miner }, 'another lie')]
    const { assignment } = first.receipt
    const second = signReceipt(chain, { coordinator, miner }, other.evidence, assignment)
    expect(second.result.assignment).toBe(first.receipt.result.assignment)
    const report = await chain.reportMiner(challenger, { first: first.receipt, second })
    expect(report.action).toBe('reportMiner')
    const at = await now()
    const [slash] = await chain.getSlashes(accused)
    const digest = toAssignmentDigest(chain.domainSeparator, assignment)
    expect(slash).toMatchObject({ node: accused, caseId: 1n, bondWei: cai(25_000), thawingBondWei: 0n, at, transaction: report.hash })
    expect(slash?.reason).toBe(`it signed two different results for assignment ${digest}`)
    expect(slash?.evidence[0]).toBe(digest)
    expect(await chain.getCase(1n)).toMatchObject({ accused, by: challenger.address, openedAt: at, reason: { kind: 'miner-equivocation', assignment: digest } })

    const cut = { caseId: 1n, amountWei: cai(6_250), releaseAt: at + testThawSeconds }
    expect(await chain.getCredits(challenger.address)).toEqual({ creditWei: 0n, cuts: [cut] })
    expect((await chain.getAccount(challenger.address)).credits.cuts).toEqual([cut])
    const early = chain.withdrawCut(challenger, { caseId: 1n, to: nobody })
    await expect(early).rejects.toMatchObject({ code: errors.creditNotReleased.code, facts: { caseId: 1n, releaseAt: cut.releaseAt } })
    await warp(testThawSeconds)
    await chain.withdrawCut(challenger, { caseId: 1n, to: nobody })
    expect((await chain.getAccount(nobody)).walletWei).toBe(cai(6_250))
    expect((await chain.getCredits(challenger.address)).cuts).toEqual([])

    await expect(chain.reportMiner(challenger, { first: first.receipt, second })).rejects.toMatchObject({ code: errors.evidenceExpired.code })
    // A report is settled at once: there is no dispute.
    await expect(chain.getDispute(1n)).rejects.toMatchObject({ code: errors.caseUnknown.code })
  })

  test('a coordinator that gave one attempt to two miners loses 5 %', async () => {
    const prepared = await prepare()
    const { chain, coordinator, miner, jurors, challenger } = prepared
    const taskId: Hash = `0x${'77'.repeat(32)}`
    const [first, second] = await Promise.all([miner, jurors[0] as Party].map((to) => sign({ coordinator, miner: to }, 'a', { taskId })))
    if (!first || !second) throw new Error('two receipts')
    await chain.reportCoordinator(challenger, { first: first.receipt, second: second.receipt })
    const [slash] = await chain.getSlashes(coordinator.owner.address)
    expect(slash).toMatchObject({ bondWei: cai(105_000), reason: `it gave attempt 1 of task ${taskId} to two miners` })
    expect((await chain.getCase(1n)).reason).toMatchObject({ kind: 'coordinator-equivocation', taskId, attempt: 1 })
    const again = chain.reportCoordinator(challenger, { first: first.receipt, second: second.receipt })
    await expect(again).rejects.toMatchObject({ code: errors.evidenceConsumed.code })
    const same = chain.reportCoordinator(challenger, { first: first.receipt, second: first.receipt })
    await expect(same).rejects.toMatchObject({ code: errors.notEvidence.code, facts: { reason: 'miner' } })
  })
})

test('a false result: challenged, judged, appealed, upheld; fines, pay, slash and jail, and everybody can withdraw', async () => {
  const prepared = await prepare()
  const { chain, jurors, challenger, accused } = prepared
  const { warp, now, signer } = network()
  const { receipt, evidence, caseId, bondWei } = await challenge(prepared)
  expect(bondWei).toBe(cai(3))
  const openedAt = await now()
  expect(await chain.listOpenDisputes()).toEqual([
    {
      caseId,
      accused,
      challenger: challenger.address,
      issuedAt: Number(receipt.assignment.issuedAt),
      stage: 'sealing',
      round: 0,
      baseWei: cai(50_000),
      feeWei: cai(1),
      verdict: 'none',
    },
  ])
  expect(await chain.getConvictions(accused)).toEqual({ node: accused, step: 0, stepAt: 0, stepBps: 0, openDisputes: 1, frozenWei: cai(5_000) })
  expect(await chain.getChallengeBond(accused)).toBe(cai(6))
  await chain.addEvidence(signer(9), { caseId, data: new Uint8Array([1, 2, 3]) })
  const additions = [{ from: signer(9).address, data: new Uint8Array([1, 2, 3]) }]
  const reason = { kind: 'challenge', receipt, evidence, additions }
  expect(await chain.getCase(caseId)).toEqual({ caseId, accused, by: challenger.address, openedAt, reason })
  const [unsealed] = await chain.getRounds(caseId)
  expect(unsealed).toMatchObject({
    round: 0,
    seats: 3,
    eligibleWei: cai(300_000),
    seed: null,
    commitEndsAt: null,
    payer: challenger.address,
    side: 'invalid',
    potWei: cai(3),
  })
  expect(unsealed?.randomnessRound).toBe(BigInt(openedAt + sealSeconds))
  await expect(chain.sealRound(challenger, { caseId, proof: '0x' })).rejects.toMatchObject({
    code: errors.seedNotReached.code,
    facts: { reachedAt: openedAt + sealSeconds },
  })

  // Each juror has a third of the eligible bond, and so one of three seats, whatever the seed.
  const seats = await hear(prepared, caseId, ['invalid', 'invalid', 'valid'])
  expect(seats.map((seat) => seat.seats)).toEqual([1, 1, 1])
  await chain.concludeRound(challenger, { caseId })
  expect(await chain.getDispute(caseId)).toMatchObject({ stage: 'appealing', verdict: 'invalid', round: 0 })
  const [heard] = await chain.getRounds(caseId)
  expect(heard).toMatchObject({ validSeats: 1, invalidSeats: 2, cannotJudgeSeats: 0, verdict: 'invalid', appealEndsAt: (await now()) + appealSeconds })
  expect(heard?.seed).toMatch(/^0x[0-9a-f]{64}$/)
  expect(await chain.listBallots(jurors[2]?.owner.address as Address)).toEqual([{ caseId, round: 0 }])
  expect(await chain.getSeat(caseId, 0, jurors[2]?.owner.address as Address)).toMatchObject({ pinned: true, vote: 'valid', fined: false, paid: false })

  // The accused appeals with ten seats' worth of two: 5 x 1 x 2.
  const appealWei = await chain.getAppealBond(caseId)
  expect(appealWei).toBe(cai(10))
  await expect(chain.appeal(signer(7), { caseId, side: 'invalid', bondWei: appealWei })).rejects.toMatchObject({
    code: errors.sideStands.code,
    facts: { side: 'invalid' },
  })
  await expect(chain.appeal(signer(7), { caseId, side: 'valid', bondWei: appealWei - 1n })).rejects.toMatchObject({ code: errors.courtBondTooLow.code })
  await chain.appeal(signer(7), { caseId, side: 'valid', bondWei: appealWei })
  const held = await hear(prepared, caseId, ['invalid', 'invalid', null])
  expect((await chain.getRounds(caseId)).map(({ seats: size, payer, side }) => [size, payer, side])).toEqual([
    [3, challenger.address, 'invalid'],
    [5, signer(7).address, 'valid'],
  ])
  await chain.concludeRound(challenger, { caseId })
  await warp(appealSeconds)
  expect(await chain.getDispute(caseId)).toMatchObject({ stage: 'due' })
  const closing = await chain.concludeRound(challenger, { caseId })
  expect(await chain.getDispute(caseId)).toMatchObject({ stage: 'closed', verdict: 'invalid' })
  expect(await chain.listOpenDisputes()).toEqual([])

  // 10 % of the bond, and jail.
  const jailedUntil = (await now()) + testParameters.jailSeconds
  expect(await chain.getNode(accused)).toMatchObject({ active: false, away: true, bondWei: cai(45_000), jailedUntil })
  await expect(chain.rejoin(prepared.miner.owner, { node: accused })).rejects.toMatchObject({ code: stillJailed.code, facts: { until: jailedUntil } })
  expect(await chain.getSlashes(accused)).toMatchObject([
    {
      caseId,
      bondWei: cai(5_000),
      transaction: closing.hash,
      reason: `a jury found that its output for task ${receipt.assignment.taskId} is not what the model's manifest gives (10 % of its bond)`,
      evidence: [receipt.result.assignment, receipt.assignment.manifest, receipt.result.outputHash],
    },
  ])
  expect(await chain.getConvictions(accused)).toMatchObject({ step: 1, stepBps: 1_000, openDisputes: 0, frozenWei: 0n })

  // The third juror voted against it first, and was silent then.
  const third = jurors[2]?.owner.address as Address
  await chain.fineJuror(challenger, { caseId, round: 0, node: third })
  await chain.fineJuror(challenger, { caseId, round: 1, node: third })
  await expect(chain.fineJuror(challenger, { caseId, round: 0, node: third })).rejects.toMatchObject({ code: errors.notFinable.code })
  expect((await chain.getSlashes(third)).map(({ reason: words, bondWei: wei }) => [words, wei])).toEqual([
    [`as a juror in case ${caseId}, round 1, it voted against the final verdict`, cai(200)],
    [`as a juror in case ${caseId}, round 2, it did not reveal its vote`, cai(1_000) * BigInt(held[2]?.seats ?? 0)],
  ])
  expect(await chain.getNode(third)).toMatchObject({ away: true })
  expect(await chain.getSeat(caseId, 0, third)).toMatchObject({ fined: true })

  // Jurors' pay, and the challenger's bond and cut.
  for (const juror of jurors.slice(0, 2)) {
    await chain.creditJuror(signer(9), { caseId, round: 0, node: juror.owner.address })
    expect((await chain.getSeat(caseId, 0, juror.owner.address)).paid).toBe(true)
    expect((await chain.getCredits(juror.owner.address)).creditWei).toBe(cai(1))
  }
  await expect(chain.creditJuror(signer(9), { caseId, round: 0, node: third })).rejects.toMatchObject({ code: errors.notPayable.code })
  const { creditWei, cuts } = await chain.getCredits(challenger.address)
  expect(creditWei).toBe(cai(3))
  expect(cuts).toMatchObject([{ caseId }])
  await chain.withdrawCredits(challenger, { to: nobody })
  expect((await chain.getAccount(nobody)).walletWei).toBe(cai(3))
  await expect(chain.withdrawCredits(challenger, { to: nobody })).rejects.toMatchObject({ code: errors.nothingToWithdraw.code })
})

test('a false challenge costs its bond, and nothing happens to the accused', async () => {
  const prepared = await prepare()
  const { chain, challenger, accused } = prepared
  const { warp } = network()
  const { caseId, receipt } = await challenge(prepared)
  await hear(prepared, caseId, ['valid', 'valid', 'cannot-judge'])
  await chain.concludeRound(challenger, { caseId })
  await warp(appealSeconds)
  await chain.concludeRound(challenger, { caseId })
  expect(await chain.getDispute(caseId)).toMatchObject({ stage: 'closed', verdict: 'valid' })
  expect(await chain.getSlashes(accused)).toEqual([])
  expect(await chain.getNode(accused)).toMatchObject({ active: true, bondWei: cai(50_000) })
  expect(await chain.getCredits(challenger.address)).toEqual({ creditWei: 0n, cuts: [] })
  const again = chain.challenge(challenger, { receipt, evidence: toEvidence('a lie'), bondWei: cai(3) })
  await expect(again).rejects.toMatchObject({ code: errors.evidenceConsumed.code })
})

test('refuses what is no case, and what is not the time for', async () => {
  const prepared = await prepare()
  const { chain, challenger, jurors, coordinator, miner, accused } = prepared
  const { warp, signer } = network()
  const { receipt, evidence, caseId } = await challenge(prepared)
  const bondWei = cai(6)
  const refused = async (promise: Promise<unknown>, factory: { code: string }, facts: object = {}) =>
    expect(promise).rejects.toMatchObject({ code: factory.code, facts })
  await refused(chain.challenge(challenger, { receipt, evidence, bondWei }), errors.disputeOpen, { caseId })
  const next = await sign(prepared, 'another')
  await refused(chain.challenge(challenger, { ...next, evidence: toEvidence('not it'), bondWei }), errors.hashMismatch, { field: 'output' })
  await refused(chain.challenge(challenger, { ...next, bondWei: bondWei - 1n }), errors.courtBondTooLow, { sentCai: '5.999999999999999999', neededCai: '6' })
  const forged = await sign({ coordinator, miner: { owner: miner.owner, operator: signer(9) } })
  await refused(chain.challenge(challenger, { ...forged, bondWei }), errors.signatureInvalid, { signer: signer(9).address, node: accused })
  const large = toEvidence('x'.repeat(24_577))
  const issuedAt = BigInt(await network().now())
  const oversized = signReceipt(chain, prepared, large, { issuedAt })
  await refused(chain.challenge(challenger, { receipt: oversized, evidence: large, bondWei }), errors.evidenceTooLarge, { maximumBytes: 24_576n })
  await refused(chain.concludeRound(challenger, { caseId }), errors.stageInvalid, { stage: 'sealing' })
  await refused(chain.getDispute(99n), errors.caseUnknown, { caseId: 99n })
  await refused(chain.getCase(99n), errors.caseUnknown, { caseId: 99n })
  await refused(chain.getRounds(99n), errors.caseUnknown, { caseId: 99n })

  await warp(sealSeconds)
  await chain.sealRound(challenger, { caseId, proof: '0x' })
  const juror = jurors[0]?.owner as Party['owner']
  const node = juror.address
  const ballot = { caseId, round: 0, node, vote: 'valid', salt } as const
  const commitment = chain.toVoteCommitment(ballot)
  await refused(chain.commitVote(signer(9), { caseId, node, commitment }), errors.notActing, { node })
  await refused(chain.commitVote(miner.owner, { caseId, node: accused, commitment }), errors.noSeat, { node: accused, round: 0 })
  await chain.commitVote(juror, { caseId, node, commitment })
  await refused(chain.commitVote(juror, { caseId, node, commitment }), errors.voteCommitted)
  await chain.summonJuror(signer(9), { caseId, node: jurors[1]?.owner.address as Address })
  expect(await chain.getSeat(caseId, 0, jurors[1]?.owner.address as Address)).toMatchObject({ pinned: true, commitment: null, vote: null })
  await warp(commitSeconds)
  await refused(chain.revealVote(juror, { ...ballot, vote: 'invalid' }), errors.commitmentInvalid, { node })
  await chain.revealVote(juror, ballot)
  await refused(chain.fineJuror(signer(9), { caseId, round: 0, node }), errors.notFinable)
  await warp(testParameters.evidenceSeconds)
  await refused(chain.challenge(challenger, { ...next, bondWei }), errors.evidenceExpired)
})

test('commitments and digests are those of the contract', async () => {
  const { chain, deployment, rpcUrl, signer } = network()
  const client = createPublicClient({ transport: http(rpcUrl) })
  const address = deployment.contracts.court
  for (const [vote, number] of [
    ['valid', 1],
    ['invalid', 2],
    ['cannot-judge', 3],
  ] as const) {
    const args = [7n, 2, signer(1).address, number, salt] as const
    const expected = await client.readContract({ address, abi: courtAbi, functionName: 'commitmentOf', args })
    expect(chain.toVoteCommitment({ caseId: 7n, round: 2, node: signer(1).address, vote, salt })).toBe(expected)
  }
  const party = { owner: signer(1), operator: signer(1) }
  const { receipt } = await sign({ coordinator: party, miner: party })
  const { assignment, result } = receipt
  const digest = await client.readContract({ address, abi: courtAbi, functionName: 'assignmentDigest', args: [assignment] })
  expect(result.assignment).toBe(digest)
})

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { weiPerCai } from '../../../src/domain/amount.ts'
import { toDigest } from '../../../src/domain/eip712.ts'
import type { SignedVoucher } from '../../../src/domain/payments.ts'
import { toPrice } from '../../../src/domain/receipt.ts'
import { voucher as voucherStructure } from '../../../src/domain/signedStructures.ts'
import { rpcUnavailable, txUnconfirmed, walletTooLow } from '../../../src/errors/chain.ts'
import {
  type CoordinatorRig,
  coordinatorNode,
  coordinatorSigner,
  createCoordinatorRig,
  createSubmission,
  endCoordinatorRigs,
  type SimulatedMiner,
  toMinerNode,
  toPrices,
  toTextOutput,
  verifier,
} from '../../support/coordinatorRig.ts'
import type { SentTransaction } from '../../support/fakeChain.ts'

afterEach(endCoordinatorRigs)

const body = { model: 'test/letters', kind: 'completion' as const, input: { prompt: 'abc' }, params: {}, dryRun: false }
/** price of the answer 'ok': two tokens */
const priceWei = 2n * 10n ** 12n
const cai = (amount: number) => BigInt(amount) * weiPerCai
const free = { unitPriceWei: toPrices({ text: 0n, embedding: 0n }) }

async function earn(rig: CoordinatorRig, miner: SimulatedMiner, text = 'ok'): Promise<SignedVoucher | null> {
  await rig.app.createTask({ body })
  const task = await miner.take()
  return (await miner.submit(task, createSubmission(rig.chain.domainSeparator, miner.signer, task, toTextOutput(task, text)))).voucher
}

const raises = (rig: CoordinatorRig) => rig.chain.sent.filter((sent): sent is SentTransaction & { action: 'raiseLines' } => sent.action === 'raiseLines')
const waitForLines = (rig: CoordinatorRig, times = 1) => vi.waitFor(() => expect(raises(rig)).toHaveLength(times), { timeout: 3_000, interval: 10 })
const getGauge = async (gauge: { get(): Promise<{ values: { value: number }[] }> }) => (await gauge.get()).values[0]?.value

function expectSigned(rig: CoordinatorRig, signed: SignedVoucher | null, cumulativeWei: bigint): void {
  expect(signed?.voucher).toMatchObject({ coordinator: coordinatorNode, miner: toMinerNode(1), cumulativeWei })
  const { voucher, signature } = signed as SignedVoucher
  expect(Math.abs(Number(voucher.issuedAt) - rig.clock.nowMs() / 1000)).toBeLessThan(10)
  expect(verifier.recover(toDigest(rig.chain.domainSeparator, voucherStructure, voucher), signature)).toBe(coordinatorSigner.address)
}

describe('vouchers', () => {
  test('every answer carries the newest one over all that is owed, signed anew only when the sum rose', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    await waitForLines(rig)
    expect((await miner.poll(0)).voucher).toBeNull()
    const first = await earn(rig, miner)
    expectSigned(rig, first, priceWei)
    const second = await earn(rig, miner, 'four')
    expectSigned(rig, second, 3n * priceWei)
    expect((await miner.poll(0)).voucher).toEqual(second)
    expect(await miner.client.getVoucher({})).toEqual({ voucher: second, owedWei: 3n * priceWei, reasons: [] })
    await rig.app.createTask({ body })
    const { task, voucher } = await miner.poll()
    expect([task === null, voucher]).toEqual([false, second])
    expect(await getGauge(rig.metrics.vouchersSigned)).toBe(2)
  })

  test('a result sent twice counts once, before and after a restart; the sum outlives the process', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    await waitForLines(rig)
    await rig.app.createTask({ body })
    const task = await miner.take()
    const submission = createSubmission(rig.chain.domainSeparator, miner.signer, task, toTextOutput(task, 'ok'))
    const answers = await Promise.all([miner.submit(task, submission), miner.submit(task, submission)])
    for (const answer of answers) expect(answer).toMatchObject({ priceWei, voucher: { voucher: { cumulativeWei: priceWei } } })
    expect(toPrice({ assignment: task.assignment, result: submission.result })).toBe(priceWei)
    await rig.restart()
    const again = await rig.openMiner(1)
    await vi.waitFor(async () => expectSigned(rig, (await again.poll(0)).voucher, priceWei))
    expect(await again.submit(task, submission)).toMatchObject({ voucher: { voucher: { cumulativeWei: priceWei } } })
    expectSigned(rig, await earn(rig, again), 2n * priceWei)
    expect(await rig.store.getOwed(toMinerNode(1))).toBe(2n * priceWei)
  })

  test('a voucher that a miner holds reminds a store from a backup; one that is not ours, or of another, does not', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000] })
    const first = await rig.openMiner(1)
    await waitForLines(rig)
    const held = (await earn(rig, first)) as SignedVoucher
    const forget = async () => {
      await rig.serving.close()
      const database = new DatabaseSync(join(rig.directory, 'coordinator.sqlite'))
      database.exec('DELETE FROM owed')
      database.close()
      await rig.restart({ restored: true })
    }
    await forget()
    const owe = async (index: number, voucher?: SignedVoucher) => {
      const miner = await rig.openMiner(index, voucher === undefined ? {} : { voucher })
      const { owedWei } = await miner.client.getVoucher({})
      await miner.leave()
      return owedWei
    }
    const { voucher } = held
    const sign = (more: Partial<SignedVoucher['voucher']>, signer = coordinatorSigner): SignedVoucher => {
      const other = { ...voucher, ...more }
      return { voucher: other, signature: signer.sign(toDigest(rig.chain.domainSeparator, voucherStructure, other)) }
    }
    expect(await owe(1)).toBe(0n)
    expect(await owe(1, { ...held, voucher: { ...voucher, cumulativeWei: cai(5) } })).toBe(0n)
    expect(await owe(1, sign({ cumulativeWei: cai(5) }, first.signer))).toBe(0n)
    expect(await owe(1, sign({ coordinator: toMinerNode(1) }))).toBe(0n)
    expect(await owe(2, held)).toBe(0n)
    expect(await owe(1, held)).toBe(priceWei)
    expect(await rig.store.getOwed(toMinerNode(1))).toBe(priceWei)
    expect(await owe(1, sign({ cumulativeWei: 1n }))).toBe(priceWei)
  })

  test('none goes above the line; what is over it follows when the line rises', async () => {
    const rig = await createCoordinatorRig({ config: { lineWei: 0n } })
    rig.chain.setLine(coordinatorNode, toMinerNode(1), { capWei: 3n * 10n ** 12n })
    const miner = await rig.openMiner(1)
    await vi.waitFor(async () => expect((await miner.client.getVoucher({})).reasons).toEqual([]))
    expectSigned(rig, await earn(rig, miner), priceWei)
    expectSigned(rig, await earn(rig, miner), 3n * 10n ** 12n)
    expect(await miner.client.getVoucher({})).toMatchObject({ owedWei: 2n * priceWei, reasons: ['no line: the coordinator opens lines by hand'] })
    expect((await miner.poll(0)).reasons).toContain('no line: the coordinator opens lines by hand')
    rig.chain.setLine(coordinatorNode, toMinerNode(1), { capWei: cai(1) })
    await vi.waitFor(async () => expectSigned(rig, (await miner.poll(0)).voucher, 2n * priceWei))
    expect(raises(rig)).toEqual([])
  })

  test('a line with a notice pays up to its old cap until then, is never raised by itself, and ends at the new one', async () => {
    const rig = await createCoordinatorRig()
    const noticeAt = Math.floor(rig.clock.nowMs() / 1000) + 1000
    rig.chain.setLine(coordinatorNode, toMinerNode(1), { capWei: 5n * priceWei, notice: { capWei: 2n * priceWei, at: noticeAt } })
    const miner = await rig.openMiner(1)
    await vi.waitFor(async () => expect((await miner.client.getVoucher({})).reasons).toEqual([]))
    for (const sum of [1n, 2n, 3n]) expectSigned(rig, await earn(rig, miner), sum * priceWei)
    rig.chain.blockTimestamp = noticeAt
    // The sum in the voucher was over the new cap already: nothing rises any more.
    expectSigned(rig, await earn(rig, miner), 3n * priceWei)
    expect((await miner.client.getVoucher({})).reasons).toEqual(['no line: the coordinator has given notice on it'])
    expect(raises(rig)).toEqual([])
  })

  test('free tasks need no line and no voucher', async () => {
    const rig = await createCoordinatorRig({ config: free })
    const miner = await rig.openMiner(1)
    expect(miner.opened.prices).toMatchObject([{ unitPriceWei: 0n }])
    expect(await earn(rig, miner)).toBeNull()
    const { reasons } = await miner.poll(200)
    expect(reasons.filter((reason) => reason.startsWith('no line'))).toEqual([])
    expect(raises(rig)).toEqual([])
  })

  test('while the line cannot be read there is none, results are accepted, and it comes once the RPC is back', async () => {
    const rig = await createCoordinatorRig()
    rig.chain.before = (call) => {
      if (call === 'getLine') throw rpcUnavailable({ url: 'http://127.0.0.1:1', reason: 'refused' })
    }
    const miner = await rig.openMiner(1)
    expect(await earn(rig, miner)).toBeNull()
    expect(await getGauge(rig.metrics.chainFailures)).toBeGreaterThan(0)
    rig.chain.before = () => undefined
    await vi.waitFor(async () => expectSigned(rig, (await miner.poll(0)).voucher, priceWei))
  })
})

describe('lines', () => {
  test('open by themselves, all in one transaction, and rise when less than half is left', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000], config: { lineWei: 4n * priceWei } })
    const gate = Promise.withResolvers<void>()
    rig.chain.before = (call) => (call === 'getLine' ? gate.promise : undefined)
    const miners = [await rig.openMiner(1), await rig.openMiner(2)] as const
    gate.resolve()
    await vi.waitFor(() => expect(raises(rig).flatMap(({ lines }) => lines)).toHaveLength(2))
    for (const { addedWei } of raises(rig).flatMap(({ lines }) => lines)) expect(addedWei).toBe(4n * priceWei)
    const before = raises(rig).length
    await miners[1].leave()
    for (let index = 0; index < 2; index++) await earn(rig, miners[0])
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(raises(rig)).toHaveLength(before)
    await earn(rig, miners[0])
    await waitForLines(rig, before + 1)
    expect(raises(rig).at(-1)?.lines).toEqual([{ miner: toMinerNode(1), addedWei: 3n * priceWei }])
  })

  test('never two transactions at once, however many refreshes pass', async () => {
    const rig = await createCoordinatorRig()
    const gate = Promise.withResolvers<void>()
    let underWay = 0
    rig.chain.before = async (call) => {
      if (call !== 'raiseLines') return
      underWay++
      await gate.promise
    }
    await rig.openMiner(1)
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(underWay).toBe(1)
    gate.resolve()
    await waitForLines(rig)
  })

  test('an empty escrow is said in words and as a metric, and filled later it opens them', async () => {
    const rig = await createCoordinatorRig()
    rig.chain.escrowWei = 0n
    const miner = await rig.openMiner(1)
    const say = "no line: the coordinator's escrow is empty"
    await vi.waitFor(async () => expect((await miner.poll(0)).reasons).toContain(say))
    expect((await miner.client.getVoucher({})).reasons).toEqual([say])
    expect(await earn(rig, miner)).toBeNull()
    expect(await getGauge(rig.metrics.linesShort)).toBe(1)
    expect(raises(rig)).toEqual([])
    rig.chain.escrowWei = cai(100)
    await waitForLines(rig)
    await vi.waitFor(async () => expectSigned(rig, (await miner.poll(0)).voucher, priceWei))
    expect(await getGauge(rig.metrics.linesShort)).toBe(0)
  })

  test('a short escrow gives what it has, to the neediest first, and never more', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000] })
    rig.chain.escrowWei = cai(12)
    rig.chain.setLine(coordinatorNode, toMinerNode(1), { capWei: cai(1) })
    const miners = [await rig.openMiner(1), await rig.openMiner(2)] as const
    await vi.waitFor(async () => expect((await miners[0].poll(0)).reasons.join() + (await miners[1].poll(0)).reasons.join()).not.toContain('about to raise'))
    await new Promise((resolve) => setTimeout(resolve, 300))
    const added = raises(rig).flatMap(({ lines }) => lines)
    expect(added.reduce((sum, { addedWei }) => sum + addedWei, 0n)).toBe(cai(11))
    expect(await getGauge(rig.metrics.linesShort)).toBe(1)
  })

  test('an operator without gas is said in words; it is tried again with the next refresh', async () => {
    const rig = await createCoordinatorRig()
    rig.chain.before = (call) => {
      if (call === 'raiseLines') throw walletTooLow({ account: '0x', availableCai: '0', neededCai: '1', feeCai: '1', network: 'test' })
    }
    const miner = await rig.openMiner(1)
    await vi.waitFor(async () => expect((await miner.poll(0)).reasons).toContain("no line: the coordinator's operator has no CAI for gas"))
    rig.chain.before = () => undefined
    await waitForLines(rig)
  })

  test('after a transaction that may still be mined none is sent for a minute', async () => {
    const rig = await createCoordinatorRig()
    let tries = 0
    rig.chain.before = (call) => {
      if (call !== 'raiseLines') return
      tries++
      throw txUnconfirmed({ action: 'raiseLines', hash: '0x', waitedMs: 1 })
    }
    await rig.openMiner(1)
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(tries).toBe(1)
    rig.chain.before = () => undefined
    rig.clock.advance(61_000)
    await rig.openMiner(1)
    await waitForLines(rig)
  })
})

test('a coordinator whose key was replaced on chain takes no tasks: its signatures count for nothing', async () => {
  const rig = await createCoordinatorRig()
  const miner = await rig.openMiner(1)
  rig.chain.setNodes(rig.records.map((record) => (record.node === coordinatorNode ? { ...record, operator: miner.signer.address } : record)))
  await expect(rig.app.createTask({ body })).rejects.toMatchObject({
    code: 'CUCKOO_COORDINATOR_NOT_READY',
    message: expect.stringContaining('operator key was replaced'),
  })
})

import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { weiPerCai } from '../../../src/domain/amount.ts'
import type { LineRecord, SignedVoucher } from '../../../src/domain/payments.ts'
import { rpcUnavailable, walletTooLow } from '../../../src/errors/chain.ts'
import type { MinerConfig } from '../../../src/miner/minerConfig.ts'
import { PaymentRecord, toPaymentFactor, toPaymentRecord } from '../../../src/miner/paymentRecord.ts'
import type { FakeChain } from '../../support/fakeChain.ts'
import { createTestTask, signTestVoucher, type TestCoordinator, waitFor } from '../../support/minerCoordinator.ts'
import { createFakeMinerStore } from '../../support/minerFakes.ts'
import {
  coordinatorNode,
  coordinatorParty,
  createCoordinator,
  createMiner,
  createTestSigner,
  endRigsAfterEach,
  type MinerRig,
  minerNode,
  minerRecord,
  toRecord,
} from '../../support/minerRig.ts'

endRigsAfterEach()

/** of a task of {@link createTestTask}: five units of 1000 */
const priceWei = 5000n

function queueTasks(coordinator: TestCoordinator, count: number, name = 'task', more: Parameters<typeof createTestTask>[3] = {}): void {
  for (let index = 0; index < count; index++) coordinator.queue(createTestTask(coordinatorParty, minerNode, `${name} ${index}`, more))
}

const countDone = (rig: MinerRig) => rig.events.filter(({ type }) => type === 'taskDone').length
const waitForDone = (rig: MinerRig, times: number) =>
  waitFor(() => countDone(rig) >= times, `${times} tasks done; ${JSON.stringify(rig.events.map(({ type }) => type))}`)
const getState = (rig: MinerRig) => {
  const [state] = rig.miner.state().coordinators
  if (state === undefined) throw new Error('no coordinator')
  return state
}
const start = (coordinator: TestCoordinator, config: Partial<MinerConfig> = {}, more: Parameters<typeof createMiner>[1] = {}) =>
  createMiner([toRecord(coordinator)], { ...more, config: { slots: 1, ...config } })
/** with another line than the one over 100 CAI */
const startWithLine = (
  coordinator: TestCoordinator,
  line: Partial<LineRecord>,
  config: Partial<MinerConfig> = {},
  before: FakeChain['before'] = () => undefined,
) =>
  start(coordinator, config, {
    prepare(chain) {
      chain.before = before
      chain.setLine(coordinatorNode, minerNode, line)
    },
  })
/** time in which a miner that does not stop would have done more */
const settle = () => delay(250)

describe('vouchers', () => {
  it('come with every answer, are kept, and show in the state', async () => {
    const coordinator = await createCoordinator()
    const rig = await start(coordinator)
    queueTasks(coordinator, 3)
    await waitForDone(rig, 3)
    const [books] = await rig.store.listPayments()
    expect(books).toMatchObject({ coordinator: coordinatorNode, owedWei: 3n * priceWei, results: 3, unpaidResults: 0 })
    expect(books?.voucher?.voucher.cumulativeWei).toBe(3n * priceWei)
    expect(getState(rig).payments).toEqual({
      owedWei: 3n * priceWei,
      unpaidResults: 0,
      voucherWei: 3n * priceWei,
      redeemableWei: 3n * priceWei,
      lineLeftWei: 100n * weiPerCai - 3n * priceWei,
    })
  })

  it('what is owed is what was agreed, whatever the coordinator answers', async () => {
    const coordinator = await createCoordinator({ unitPriceWei: 1n })
    const rig = await start(coordinator)
    queueTasks(coordinator, 3)
    const paused = await rig.waitForEvent('paused')
    expect(paused).toMatchObject({ reason: 'unpaid' })
    expect((await rig.store.listPayments())[0]).toMatchObject({ owedWei: 2n * priceWei, unpaidResults: 2 })
    expect(rig.miner.state().coordinators[0]?.earnedWei).toBe(2n * priceWei)
  })

  const forgeries: [string, (signed: SignedVoucher) => SignedVoucher, RegExp][] = [
    [
      'signed by a stranger',
      ({ voucher }) => signTestVoucher({ node: coordinatorNode, signer: createTestSigner(99) }, minerNode, voucher.cumulativeWei),
      /signed by 0x/,
    ],
    ['for another miner', ({ voucher }) => signTestVoucher(coordinatorParty, coordinatorNode, voucher.cumulativeWei), /names the miner/],
    [
      'of another coordinator',
      ({ voucher }) => signTestVoucher({ ...coordinatorParty, node: minerNode }, minerNode, voucher.cumulativeWei),
      /names the coordinator/,
    ],
    [
      'with another sum than was signed',
      ({ voucher, signature }) => ({ voucher: { ...voucher, cumulativeWei: voucher.cumulativeWei + 1n }, signature }),
      /signed by 0x/,
    ],
    [
      'dated tomorrow, when its key may be replaced',
      ({ voucher }) => signTestVoucher(coordinatorParty, minerNode, voucher.cumulativeWei, { issuedAt: voucher.issuedAt + 86_400n }),
      /which is to come/,
    ],
  ]
  it.each(forgeries)('%s are as good as none', async (_, forge, problem) => {
    const coordinator = await createCoordinator()
    coordinator.forgeVoucher = forge
    const rig = await start(coordinator)
    queueTasks(coordinator, 4)
    const paused = await rig.waitForEvent('paused')
    expect(paused.text).toMatch(problem)
    expect((await rig.waitForEvent('voucherRefused')).error).toMatchObject({ code: 'CUCKOO_MINER_VOUCHER_INVALID' })
    await settle()
    expect(countDone(rig)).toBe(2)
    expect((await rig.store.listPayments())[0]?.voucher).toBeNull()
  })

  it('are shown to the coordinator at the next handshake', async () => {
    const store = createFakeMinerStore()
    const coordinator = await createCoordinator()
    const first = await start(coordinator, {}, { store })
    queueTasks(coordinator, 1)
    await waitForDone(first, 1)
    await first.miner.stop()
    const rig = await start(coordinator, {}, { store })
    await rig.waitForEvent('sessionOpened')
    expect(coordinator.calls.openSession.map(({ body }) => body.voucher?.voucher.cumulativeWei)).toEqual([undefined, priceWei])
  })

  it('that are lower than the one kept change nothing', async () => {
    const coordinator = await createCoordinator()
    const rig = await start(coordinator)
    queueTasks(coordinator, 1)
    await waitForDone(rig, 1)
    coordinator.forgeVoucher = () => signTestVoucher(coordinatorParty, minerNode, 1n)
    queueTasks(coordinator, 1, 'second')
    await waitForDone(rig, 2)
    expect((await rig.store.listPayments())[0]?.voucher?.voucher.cumulativeWei).toBe(priceWei)
    expect(getState(rig).payments?.unpaidResults).toBe(1)
  })

  it('of a key that was replaced count no more; the same sum under the new key is kept instead', async () => {
    const coordinator = await createCoordinator()
    const rig = await start(coordinator)
    queueTasks(coordinator, 1)
    await waitForDone(rig, 1)
    const old = (await rig.store.listPayments())[0]?.voucher
    const next = createTestSigner(77)
    rig.chain.setNodes([minerRecord, toRecord(coordinator, { operator: next.address })])
    coordinator.forgeVoucher = ({ voucher }) =>
      signTestVoucher({ node: coordinatorNode, signer: next }, minerNode, voucher.cumulativeWei, { issuedAt: voucher.issuedAt + 5n })
    await waitFor(() => rig.events.some(({ type }) => type === 'waiting'), 'a poll')
    const kept = async () => (await rig.store.listPayments())[0]?.voucher
    for (let tries = 0; (await kept())?.signature === old?.signature && tries < 200; tries++) await delay(10)
    expect(await kept()).toMatchObject({ voucher: { cumulativeWei: priceWei } })
    expect((await kept())?.signature).not.toBe(old?.signature)
    coordinator.forgeVoucher = null
    queueTasks(coordinator, 1, 'old key', { change: { issuedAt: BigInt(Math.floor(Date.now() / 1000)) } })
    await waitForDone(rig, 2)
    expect(getState(rig).payments).toMatchObject({ voucherWei: priceWei, unpaidResults: 1 })
  })
})

describe('credit', () => {
  it('ends after two results that are not paid: no more polls, the reason everywhere, and work again once paid', async () => {
    const coordinator = await createCoordinator()
    coordinator.pays = 'nothing'
    const rig = await start(coordinator)
    queueTasks(coordinator, 5)
    const paused = await rig.waitForEvent('paused')
    expect(paused).toMatchObject({ reason: 'unpaid', reasons: ['no line: the test says so'] })
    expect(paused.text).toBe('2 results (0.00000000000001 CAI) accepted without a voucher: at most 2 on credit')
    const polls = coordinator.calls.pollTask.length
    await settle()
    expect(countDone(rig)).toBe(2)
    expect(coordinator.calls.pollTask.length).toBe(polls)
    expect(getState(rig)).toMatchObject({ session: 'paused', lastReasons: [paused.text, 'no line: the test says so'] })
    expect(coordinator.calls.getVoucher.length).toBeGreaterThan(2)
    expect(await rig.metrics.registry.metrics()).toContain('cuckoo_miner_pauses_total{reason="unpaid"} 1')
    coordinator.pays = 'all'
    await rig.waitForEvent('resumed')
    await waitForDone(rig, 5)
    expect(getState(rig)).toMatchObject({ session: 'open', lastReasons: [] })
  })

  it('is as many results as the operator says', async () => {
    const coordinator = await createCoordinator()
    coordinator.pays = 'nothing'
    const rig = await start(coordinator, { maxUnpaid: 4 })
    queueTasks(coordinator, 8)
    await rig.waitForEvent('paused')
    await settle()
    expect(countDone(rig)).toBe(4)
  })

  it('counts tasks in flight once they are accepted', async () => {
    const coordinator = await createCoordinator()
    coordinator.pays = 'nothing'
    const gate = Promise.withResolvers<void>()
    coordinator.before.submitResult = () => gate.promise
    const rig = await start(coordinator, { slots: 4 })
    queueTasks(coordinator, 9)
    await coordinator.waitForCalls('submitResult', 4)
    gate.resolve()
    await rig.waitForEvent('paused')
    await settle()
    expect(countDone(rig)).toBeLessThanOrEqual(8)
    expect(countDone(rig)).toBeGreaterThanOrEqual(4)
    const done = countDone(rig)
    await settle()
    expect(countDone(rig)).toBe(done)
  })

  it('is not touched by free tasks, which need no line either', async () => {
    const coordinator = await createCoordinator({ unitPriceWei: 0n })
    coordinator.pays = 'nothing'
    const rig = await startWithLine(coordinator, { capWei: 0n })
    queueTasks(coordinator, 6, 'free', { change: { unitPriceWei: 0n, maxPriceWei: 0n } })
    await waitForDone(rig, 6)
    expect((await rig.store.listPayments())[0]).toMatchObject({ owedWei: 0n, results: 6, unpaidResults: 0 })
  })

  it('stays used up over a restart', async () => {
    const store = createFakeMinerStore()
    const coordinator = await createCoordinator()
    coordinator.pays = 'nothing'
    const first = await start(coordinator, {}, { store })
    queueTasks(coordinator, 5)
    await first.waitForEvent('paused')
    await first.miner.stop()
    const polls = coordinator.calls.pollTask.length
    const rig = await start(coordinator, {}, { store })
    await rig.waitForEvent('paused')
    await settle()
    expect(coordinator.calls.pollTask.length).toBe(polls)
    expect(getState(rig).payments).toMatchObject({ owedWei: 2n * priceWei, unpaidResults: 2 })
  })

  it('of a miner that lost its store does not feed on old vouchers', async () => {
    const coordinator = await createCoordinator()
    coordinator.owed.set(minerNode, 1_000_000n)
    const rig = await start(coordinator)
    queueTasks(coordinator, 1)
    await waitForDone(rig, 1)
    expect((await rig.store.listPayments())[0]).toMatchObject({ owedWei: 1_000_000n + priceWei, results: 1, unpaidResults: 0 })
    coordinator.pays = 'nothing'
    queueTasks(coordinator, 5, 'more')
    await rig.waitForEvent('paused')
    await settle()
    expect(countDone(rig)).toBe(3)
  })

  it('counts a result once that was sent twice', async () => {
    const store = createFakeMinerStore()
    const coordinator = await createCoordinator()
    const { markDelivered } = store
    store.markDelivered = () => Promise.reject(new Error('the power fails'))
    const first = await start(coordinator, {}, { store })
    queueTasks(coordinator, 1)
    await coordinator.waitForCalls('submitResult', 2)
    await first.miner.stop()
    store.markDelivered = markDelivered
    const rig = await start(coordinator, {}, { store })
    await rig.waitForEvent('resultSettled')
    expect((await store.listPayments())[0]).toMatchObject({ owedWei: priceWei, results: 1, unpaidResults: 0 })
  })
})

describe('the line', () => {
  it('ends the work when it does not cover one more task, and raised it goes on', async () => {
    const coordinator = await createCoordinator()
    const rig = await startWithLine(coordinator, { capWei: 2n * priceWei + 4999n })
    queueTasks(coordinator, 4)
    const paused = await rig.waitForEvent('paused')
    expect(paused).toMatchObject({ reason: 'line', text: 'its line for this miner leaves 0.000000000000004999 CAI to earn, less than one more task may cost' })
    await settle()
    expect(countDone(rig)).toBe(2)
    rig.chain.setLine(coordinatorNode, minerNode, { capWei: weiPerCai })
    await rig.waitForEvent('resumed')
    await waitForDone(rig, 4)
  })

  it('that a notice lowers counts for what it will be', async () => {
    const coordinator = await createCoordinator()
    const rig = await startWithLine(coordinator, { capWei: weiPerCai, notice: { capWei: priceWei, at: Math.floor(Date.now() / 1000) + 86_400 } })
    queueTasks(coordinator, 3)
    expect(await rig.waitForEvent('paused')).toMatchObject({ reason: 'line' })
    await settle()
    expect(countDone(rig)).toBe(1)
  })

  it('is not overdrawn by tasks in parallel: what does not fit is given back', async () => {
    const coordinator = await createCoordinator()
    const rig = await startWithLine(coordinator, { capWei: 3n * priceWei }, { slots: 4 })
    const gate = Promise.withResolvers<void>()
    rig.engine.script = async ({ params, seed }) => {
      await gate.promise
      return { tokenIds: Array.from({ length: params.maxTokens }, (_, index) => Number(seed) + index), finishReason: 'length' }
    }
    queueTasks(coordinator, 6)
    await rig.waitForEvent('paused')
    expect(getState(rig).tasks).toHaveLength(3)
    gate.resolve()
    await waitForDone(rig, 3)
    await settle()
    expect(countDone(rig)).toBe(3)
  })

  it('of a coordinator that said its tasks were free, and were not, is looked at before the first is run', async () => {
    const coordinator = await createCoordinator({ unitPriceWei: 0n })
    const rig = await startWithLine(coordinator, { capWei: 0n })
    queueTasks(coordinator, 1)
    expect((await rig.waitForEvent('taskFailed')).error).toMatchObject({ code: 'CUCKOO_MINER_ASSIGNMENT_UNCOVERED' })
    expect(coordinator.calls.failTask[0]?.body).toMatchObject({ code: 'CUCKOO_MINER_ASSIGNMENT_UNCOVERED', fatal: false })
    expect(await rig.waitForEvent('paused')).toMatchObject({ reason: 'line' })
    expect(rig.engine.runs).toEqual([])
  })

  it('that cannot be read stops the work until it can', async () => {
    const coordinator = await createCoordinator()
    const rig = await startWithLine(coordinator, { capWei: weiPerCai }, {}, () => {
      throw rpcUnavailable({ url: 'http://127.0.0.1:1', reason: 'refused' })
    })
    queueTasks(coordinator, 1)
    expect((await rig.waitForEvent('paused')).text).toMatch(/^its line for this miner has not been read from the chain: The RPC/)
    expect(coordinator.calls.pollTask.length).toBe(0)
    rig.chain.before = () => undefined
    await waitForDone(rig, 1)
  })
})

describe('redeeming by itself', () => {
  it('is off unless asked for', async () => {
    const coordinator = await createCoordinator()
    const rig = await start(coordinator)
    queueTasks(coordinator, 2)
    await waitForDone(rig, 2)
    expect(rig.chain.sent).toEqual([])
  })

  it('happens when the vouchers pass what the operator set, and starts anew from there', async () => {
    const coordinator = await createCoordinator()
    const rig = await start(coordinator, { redeemAboveWei: 2n * priceWei })
    queueTasks(coordinator, 2)
    await waitForDone(rig, 2)
    await settle()
    expect(rig.chain.sent).toEqual([])
    queueTasks(coordinator, 1, 'third')
    expect(await rig.waitForEvent('redeemed')).toMatchObject({ amountWei: 3n * priceWei })
    expect(rig.chain.sent).toMatchObject([{ action: 'redeem', vouchers: [{ voucher: { cumulativeWei: 3n * priceWei } }] }])
    await waitFor(() => getState(rig).payments?.redeemableWei === 0n, 'the line to be read again')
    queueTasks(coordinator, 2, 'more')
    await waitForDone(rig, 5)
    await settle()
    expect(rig.chain.sent).toHaveLength(1)
  })

  it('that fails is told, and not tried again at once', async () => {
    const coordinator = await createCoordinator()
    const rig = await start(coordinator, { redeemAboveWei: 0n })
    rig.chain.before = (call) => {
      if (call === 'redeem') throw walletTooLow({ account: '0x', availableCai: '0', neededCai: '1', feeCai: '1', network: 'test' })
    }
    queueTasks(coordinator, 3)
    await waitForDone(rig, 3)
    await settle()
    expect(rig.events.filter(({ type }) => type === 'redeemFailed')).toHaveLength(1)
  })
})

describe('a payment record', () => {
  it('falls with results for which work had to stop, rises with those paid in time, and stays between 0 and 1', () => {
    expect(toPaymentRecord(1, { paid: 5 })).toBe(1)
    expect(toPaymentRecord(1, { late: 2 })).toBe(0.765_625)
    expect(toPaymentRecord(0.765_625, { paid: 1 })).toBeCloseTo(0.765_625 + (1 - 0.765_625) / 8, 12)
    expect(toPaymentRecord(1, { late: 1_000 })).toBeCloseTo(0, 12)
    expect([1, 0.765_625, 0].map(toPaymentFactor)).toEqual([1, 0.824_218_75, 0.25])
  })

  it('counts a result as late once, and those that were late are covered first', () => {
    const kept: number[] = []
    const record = new PaymentRecord(1, (value) => kept.push(value))
    record.addUnpaid(2)
    record.addUnpaid(2)
    record.addUnpaid(3)
    expect(kept).toEqual([toPaymentRecord(1, { late: 2 }), toPaymentRecord(1, { late: 3 })])
    record.addCovered(3)
    expect(kept).toHaveLength(2)
    record.addCovered(1)
    record.addLineUsed()
    expect(kept).toHaveLength(4)
    expect(record.factor).toBeCloseTo(toPaymentFactor(toPaymentRecord(toPaymentRecord(toPaymentRecord(1, { late: 3 }), { paid: 1 }), { late: 1 })), 12)
  })

  it('lowers the weight of a coordinator that does not pay in time, once for each result, also after a restart', async () => {
    const coordinator = await createCoordinator()
    coordinator.pays = 'nothing'
    const store = createFakeMinerStore()
    const rig = await start(coordinator, {}, { store })
    expect(rig.miner.state().coordinators[0]?.paymentFactor).toBe(1)
    queueTasks(coordinator, 2)
    await rig.waitForEvent('paused')
    expect(getState(rig).paymentFactor).toBe(0.824_218_75)
    await settle()
    expect(getState(rig).paymentFactor).toBe(0.824_218_75)
    coordinator.pays = 'all'
    await rig.waitForEvent('resumed')
    expect(getState(rig).paymentFactor).toBe(0.824_218_75)
    queueTasks(coordinator, 1, 'paid in time')
    await waitForDone(rig, 3)
    await waitFor(() => getState(rig).paymentFactor > 0.83, 'a better record')
    const { paymentFactor } = getState(rig)
    expect(paymentFactor).toBeCloseTo(0.25 + 0.75 * toPaymentRecord(0.765_625, { paid: 1 }), 12)
    await rig.miner.stop()
    const again = await start(coordinator, {}, { store })
    expect(again.miner.state().coordinators[0]?.paymentFactor).toBe(paymentFactor)
  })

  it('of one that pays with every answer stays at its best', async () => {
    const coordinator = await createCoordinator()
    const rig = await start(coordinator)
    queueTasks(coordinator, 5)
    await waitForDone(rig, 5)
    expect(getState(rig).paymentFactor).toBe(1)
    expect((await rig.store.listPayments())[0]?.paymentRecord).toBe(1)
  })
})

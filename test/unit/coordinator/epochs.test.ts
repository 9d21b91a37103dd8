import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, type MockInstance, test, vi } from 'vitest'
import { type CoordinatorPorts, defaultCoordinatorConfig } from '../../../src/coordinator/coordinatorPorts.ts'
import { Epochs } from '../../../src/coordinator/epochs.ts'
import { createChainClock } from '../../../src/domain/chainTime.ts'
import type { CoordinatorStore } from '../../../src/domain/storePorts.ts'
import { rpcUnavailable, walletTooLow } from '../../../src/errors/chain.ts'
import { epochNotOver } from '../../../src/errors/epochs.ts'
import { openCoordinatorStore } from '../../../src/store/coordinatorStore.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'
import { createCoordinatorMetrics } from '../../../src/telemetry/metrics.ts'
import { coordinatorNode, coordinatorSigner, createCoordinatorRig, endCoordinatorRigs, verifier } from '../../support/coordinatorRig.ts'
import { createFakeChain, type FakeChain } from '../../support/fakeChain.ts'
import { createNodeRecord, toTestHash } from '../../support/minerFakes.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  await endCoordinatorRigs()
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const drawSeconds = 3600
const firstEpoch = 480_000
const startMs = firstEpoch * drawSeconds * 1000 + 60_000

interface Bench {
  epochs: Epochs
  chain: FakeChain
  store: CoordinatorStore
  metrics: ReturnType<typeof createCoordinatorMetrics>
  onReady: ReturnType<typeof vi.fn<() => void>>
  logError: MockInstance
  /** moves the wall clock to `minutes` after the start of epoch `number` */
  setTime(number: number, minutes?: number): void
  /** another process on the same store and chain */
  restart(): Promise<void>
  unrevealed(): Promise<number[]>
}

async function createBench(): Promise<Bench> {
  const directory = mkdtempSync(join(tmpdir(), 'cuckoo-epochs-'))
  cleanUps.push(() => rmSync(directory, { recursive: true, force: true }))
  const chain = createFakeChain([createNodeRecord(coordinatorNode, 'coordinator', coordinatorSigner.address)])
  let nowMs = startMs
  const clock = { nowMs: () => nowMs }
  const bench = { chain } as Bench
  const open = async () => {
    bench.store = await openCoordinatorStore({ directory })
    bench.metrics = createCoordinatorMetrics()
    bench.onReady = vi.fn<() => void>()
    const { store, metrics } = bench
    const ports = { node: coordinatorNode, signer: coordinatorSigner, verifier, chain, store, clock, metrics } as unknown as CoordinatorPorts
    ports.logger = createLogger({ level: 'silent', name: 'test' })
    bench.logError = vi.spyOn(ports.logger, 'error')
    ports.config = defaultCoordinatorConfig
    const chainClock = createChainClock(clock, () => chain.blockTimestamp)
    bench.epochs = new Epochs(ports, { clock: chainClock, drawSeconds, onReady: bench.onReady })
  }
  bench.setTime = (number, minutes = 1) => {
    nowMs = number * drawSeconds * 1000 + minutes * 60_000
  }
  bench.restart = async () => {
    await bench.store.close()
    await open()
  }
  bench.unrevealed = async () => (await bench.store.listUnrevealedEpochs()).map(({ epoch }) => epoch)
  await open()
  cleanUps.push(() => bench.store.close())
  return bench
}

const actions = ({ chain }: Bench) => chain.sent.map(({ action }) => action)
const rpcDown = () => rpcUnavailable({ url: 'http://127.0.0.1:1', reason: 'refused' })

describe('at the start', () => {
  test('this epoch and the next are committed, each with a secret that was on disk before', async () => {
    const bench = await createBench()
    const onDisk: number[][] = []
    bench.chain.before = async (call) => {
      if (call === 'commitEpoch') onDisk.push(await bench.unrevealed())
    }
    expect(bench.epochs.find()).toBeUndefined()
    await bench.epochs.start()
    expect(onDisk).toEqual([
      [firstEpoch, firstEpoch + 1],
      [firstEpoch, firstEpoch + 1],
    ])
    expect(actions(bench)).toEqual(['commitEpoch', 'commitEpoch'])
    const [current] = await bench.store.listUnrevealedEpochs()
    expect(bench.epochs.find()).toEqual(current)
    expect(current?.commitment).toBe(bench.chain.toEpochCommitment(coordinatorNode, BigInt(firstEpoch), current?.secret ?? '0x'))
    expect(bench.chain.commitments.get(firstEpoch)).toBe(current?.commitment)
    expect(bench.epochs.findProblem()).toBeNull()
  })

  test('a restart goes on with the same secrets and sends nothing', async () => {
    const bench = await createBench()
    await bench.epochs.start()
    const before = bench.epochs.find()
    await bench.restart()
    await bench.epochs.start()
    await bench.epochs.update()
    expect(bench.epochs.find()).toEqual(before)
    expect(bench.chain.sent).toHaveLength(2)
  })

  test('fails with the reason when the operator cannot pay for it', async () => {
    const bench = await createBench()
    bench.chain.before = (call) => {
      if (call === 'commitEpoch') throw walletTooLow({ account: '0x', availableCai: '0', neededCai: '1', feeCai: '1', network: 'test' })
    }
    await expect(bench.epochs.start()).rejects.toMatchObject({ code: walletTooLow.code })
    expect(bench.epochs.find()).toBeUndefined()
  })

  test('a commitment that somebody else’s transaction of ours brought there is no error', async () => {
    const bench = await createBench()
    bench.chain.before = async (call) => {
      if (call !== 'commitEpoch') return
      for (const { epoch, commitment } of await bench.store.listUnrevealedEpochs()) bench.chain.commitments.set(epoch, commitment)
    }
    await bench.epochs.start()
    expect(bench.epochs.find()?.epoch).toBe(firstEpoch)
  })

  test('a commitment of another secret stops the draw in that epoch, and says so', async () => {
    const bench = await createBench()
    bench.chain.commitments.set(firstEpoch, toTestHash('of a store that is lost'))
    await bench.epochs.start()
    await bench.epochs.update()
    expect(bench.epochs.find()).toBeUndefined()
    expect(bench.epochs.findProblem()).toContain(`draw epoch ${firstEpoch} on chain is of a secret that the coordinator has lost`)
    bench.setTime(firstEpoch + 1)
    await bench.epochs.update()
    expect(bench.epochs.find()?.epoch).toBe(firstEpoch + 1)
    expect((await bench.metrics.epochsUnrevealed.get()).values[0]?.value).toBe(1)
  })
})

describe('as time goes by', () => {
  test('each new epoch takes one transaction: the ended one is revealed, the one after is committed', async () => {
    const bench = await createBench()
    await bench.epochs.start()
    for (let step = 1; step <= 3; step++) {
      bench.setTime(firstEpoch + step)
      // Committed an epoch ahead: there is no gap.
      expect(bench.epochs.find()?.epoch).toBe(firstEpoch + step)
      for (let round = 0; round < 3; round++) await bench.epochs.update()
      expect(bench.epochs.find()?.epoch).toBe(firstEpoch + step)
    }
    expect(actions(bench)).toEqual(['commitEpoch', 'commitEpoch', 'turnEpoch', 'turnEpoch', 'turnEpoch'])
    expect(bench.chain.sent.slice(2)).toMatchObject([1, 2, 3].map((step) => ({ revealed: firstEpoch + step - 1, committed: firstEpoch + step + 1 })))
    expect([...bench.chain.commitments.keys()]).toEqual([firstEpoch + 3, firstEpoch + 4])
    expect(await bench.unrevealed()).toEqual([firstEpoch + 3, firstEpoch + 4])
  })

  test('nothing is revealed in the second after the end: the next block might be stamped before it', async () => {
    const bench = await createBench()
    await bench.epochs.start()
    bench.setTime(firstEpoch + 1, 0.9 / 60)
    await bench.epochs.update()
    expect(actions(bench)).not.toContain('revealEpoch')
    expect(bench.chain.commitments.has(firstEpoch)).toBe(true)
  })

  test('a chain whose clock is a moment behind is asked again without alarm; one that stays behind is told', async () => {
    const bench = await createBench()
    await bench.epochs.start()
    bench.chain.before = (call) => {
      if (call === 'turnEpoch' || call === 'revealEpoch') throw epochNotOver({ epoch: BigInt(firstEpoch), endsAt: (firstEpoch + 1) * drawSeconds })
    }
    bench.setTime(firstEpoch + 1)
    await bench.epochs.update()
    expect(bench.logError).not.toHaveBeenCalled()
    bench.setTime(firstEpoch + 1, 2)
    await bench.epochs.update()
    expect(bench.logError).toHaveBeenCalledOnce()
    bench.chain.before = () => undefined
    bench.setTime(firstEpoch + 1, 5)
    await bench.epochs.update()
    expect(bench.chain.commitments.has(firstEpoch)).toBe(false)
  })

  test('after a long absence all that is over is revealed, what was never committed is settled', async () => {
    const bench = await createBench()
    await bench.epochs.start()
    await bench.store.openDrawEpoch({ epoch: firstEpoch + 2, secret: toTestHash('s'), commitment: toTestHash('c') })
    bench.setTime(firstEpoch + 9)
    await bench.restart()
    await bench.epochs.start()
    await bench.epochs.update()
    expect(bench.chain.sent.slice(4).map((sent) => ('epoch' in sent ? [sent.action, sent.epoch] : []))).toEqual([
      ['revealEpoch', firstEpoch],
      ['revealEpoch', firstEpoch + 1],
    ])
    expect(await bench.unrevealed()).toEqual([firstEpoch + 9, firstEpoch + 10])
    expect((await bench.metrics.epochsUnrevealed.get()).values[0]?.value).toBe(2)
    await bench.epochs.update()
    expect((await bench.metrics.epochsUnrevealed.get()).values[0]?.value).toBe(0)
  })

  test('what another process has revealed is looked up, not sent again', async () => {
    const bench = await createBench()
    await bench.epochs.start()
    bench.setTime(firstEpoch + 1)
    bench.chain.commitments.delete(firstEpoch)
    await bench.epochs.update()
    expect(actions(bench).slice(2)).toEqual(['commitEpoch'])
    expect(await bench.unrevealed()).toEqual([firstEpoch + 1, firstEpoch + 2])
  })

  test('a turn that reverts because another did both is done', async () => {
    const bench = await createBench()
    await bench.epochs.start()
    bench.setTime(firstEpoch + 1)
    bench.chain.before = async (call) => {
      if (call !== 'turnEpoch') return
      bench.chain.commitments.delete(firstEpoch)
      const next = (await bench.store.listUnrevealedEpochs()).find(({ epoch }) => epoch === firstEpoch + 2)
      bench.chain.commitments.set(firstEpoch + 2, next?.commitment ?? '0x')
    }
    await bench.epochs.update()
    expect(await bench.unrevealed()).toEqual([firstEpoch + 1, firstEpoch + 2])
    expect((await bench.metrics.chainFailures.get()).values).toEqual([])
  })

  test('a commitment that a reorg dropped is committed again', async () => {
    const bench = await createBench()
    await bench.epochs.start()
    bench.chain.commitments.clear()
    bench.setTime(firstEpoch, 5)
    await bench.epochs.update()
    expect(bench.chain.commitments.get(firstEpoch)).toBe(bench.epochs.find()?.commitment)
    expect(actions(bench)).toEqual(['commitEpoch', 'commitEpoch', 'commitEpoch', 'commitEpoch'])
  })

  test('a block ahead of the wall clock moves the epoch: a devnet was warped', async () => {
    const bench = await createBench()
    await bench.epochs.start()
    bench.chain.blockTimestamp = (firstEpoch + 5) * drawSeconds + 7
    await bench.epochs.update()
    expect(bench.epochs.find()?.epoch).toBe(firstEpoch + 5)
    expect(bench.chain.commitments.has(firstEpoch + 6)).toBe(true)
    expect(bench.chain.commitments.has(firstEpoch)).toBe(false)
  })
})

describe('while the RPC is down', () => {
  test('draws go on in what is committed and stop after it; each failure is tried again, less and less often', async () => {
    const bench = await createBench()
    await bench.epochs.start()
    let tries = 0
    bench.chain.before = () => {
      tries++
      throw rpcDown()
    }
    bench.setTime(firstEpoch + 1)
    for (let round = 0; round < 20; round++) await bench.epochs.update()
    expect(bench.epochs.find()?.epoch).toBe(firstEpoch + 1)
    expect(tries).toBeLessThan(4)
    expect((await bench.metrics.chainFailures.get()).values[0]).toMatchObject({ labels: { action: 'epoch' }, value: 1 })
    bench.setTime(firstEpoch + 2)
    await bench.epochs.update()
    expect(bench.epochs.findProblem()).toMatch(/draw epoch 480002 is not on chain \(.*\)$/)
    expect(bench.onReady).not.toHaveBeenCalled()

    bench.chain.before = () => undefined
    bench.setTime(firstEpoch + 2, 10)
    await bench.epochs.update()
    expect(bench.epochs.find()?.epoch).toBe(firstEpoch + 2)
    expect(bench.onReady).toHaveBeenCalledTimes(1)
    expect(await bench.unrevealed()).toEqual([firstEpoch + 2, firstEpoch + 3])
  })

  test('a reveal that fails does not hold up the next commitment for long', async () => {
    const bench = await createBench()
    await bench.epochs.start()
    bench.chain.before = (call) => {
      if (call === 'turnEpoch' || call === 'revealEpoch') throw rpcDown()
    }
    bench.setTime(firstEpoch + 1)
    await bench.epochs.update()
    bench.setTime(firstEpoch + 1, 2)
    await bench.epochs.update()
    expect(bench.chain.commitments.has(firstEpoch + 2)).toBe(true)
    expect(await bench.unrevealed()).toEqual([firstEpoch, firstEpoch + 1, firstEpoch + 2])
    expect((await bench.metrics.epochsUnrevealed.get()).values[0]?.value).toBe(1)
  })
})

describe('a coordinator', () => {
  const body = { model: 'test/letters', kind: 'completion' as const, input: { prompt: 'abc' }, params: {}, dryRun: false }

  test('draws nothing without its commitment: tasks wait, polls say why, and go out when it is there', async () => {
    const rig = await createCoordinatorRig()
    rig.chain.before = (call) => {
      if (call === 'commitEpoch' || call === 'turnEpoch') throw rpcDown()
    }
    rig.clock.advance(2 * 3_600_000)
    const miner = await rig.openMiner(1)
    const { task } = await rig.app.createTask({ body })
    const { task: none, reasons } = await miner.poll(100)
    expect(none).toBeNull()
    expect(reasons[0]).toMatch(/^no task is drawn: the coordinator's commitment for draw epoch \d+ is not on chain/)
    rig.chain.before = () => undefined
    rig.clock.advance(3_000)
    const again = await rig.openMiner(1)
    expect((await again.take()).assignment.taskId).toBe(task?.id)
  })

  test('that was suspended for a secret it owes shows it first, and serves', async () => {
    const rig = await createCoordinatorRig({ config: { nodeSet: { pollMs: 3_600_000, confirmations: 0, maxAgeMs: 60_000 } } })
    const [own] = rig.records
    if (own === undefined) throw new Error('no record')
    const committed = [...rig.chain.commitments.keys()]
    rig.clock.advance(3 * 3_600_000)
    const getNode = rig.chain.getNode
    rig.chain.getNode = async (node) => {
      const owes = committed.some((epoch) => rig.chain.commitments.has(epoch))
      return node === own.node ? { ...own, suspended: owes, active: !owes } : getNode(node)
    }
    await rig.restart()
    expect(rig.chain.sent.filter(({ action }) => action === 'revealEpoch')).toHaveLength(2)
    expect(await rig.app.getReadiness({})).toMatchObject({ status: 'ready' })
    const miner = await rig.openMiner(1)
    await rig.app.createTask({ body })
    await miner.answer()
  })
})

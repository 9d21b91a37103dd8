/** A miner in a process of its own, on the real engine, for inference.ts: started by a message, and asked for what it measured by others. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { weiPerCai } from '../../src/domain/amount.ts'
import { createEngine } from '../../src/inference/createEngine.ts'
import type { OfferedModel } from '../../src/miner/modelShelf.ts'
import { startMiner } from '../../src/miner/startMiner.ts'
import { openMinerStore } from '../../src/store/minerStore.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { createMinerMetrics } from '../../src/telemetry/metrics.ts'
import { coordinatorNode, coordinatorSigner, toMinerNode, toMinerSigner, verifier } from '../support/coordinatorRig.ts'
import { createFakeChain } from '../support/fakeChain.ts'
import { createNodeRecord } from '../support/minerFakes.ts'

/** What the bench says to this process. */
export type MinerCommand =
  | { type: 'start'; url: string; modelsDirectory: string; models: readonly OfferedModel[] }
  /** the event-loop lag is taken from here on */
  | { type: 'watchLag' }
  /** answered by what has been measured */
  | { type: 'getReport' }

export interface MinerReport {
  /** 99th percentile since `watchLag`, ms */
  lagMs: number
  /** of the last task, in its model */
  inferenceMs: number
}

const directory = mkdtempSync(join(tmpdir(), 'cuckoo-bench-miner-'))
const store = await openMinerStore({ directory })
const lag = monitorEventLoopDelay({ resolution: 1 })
let inferenceMs = 0
let end = async () => {}

async function start({ url, modelsDirectory, models }: MinerCommand & { type: 'start' }): Promise<void> {
  const [node, signer] = [toMinerNode(1), toMinerSigner(1)]
  const records = [
    createNodeRecord(coordinatorNode, 'coordinator', coordinatorSigner.address, { url }),
    createNodeRecord(node, 'miner', signer.address, { weightCai: 21_000 }),
  ]
  const engine = createEngine({ modelsDirectory, offline: true })
  const miner = await startMiner({
    node,
    signer,
    verifier,
    chain: createFakeChain(records, { capWei: 1_000_000n * weiPerCai }),
    store,
    engine,
    clock: { nowMs: () => Date.now() },
    logger: createLogger({ level: 'silent', name: 'miner' }),
    metrics: createMinerMetrics(),
    config: {
      models,
      // The default of `cuckoo miner start`.
      slots: 1,
      coordinators: [],
      blocked: [],
      minUnitPriceWei: 0n,
      maxUnpaid: 1_000,
      redeemAboveWei: null,
      allowPrivate: true,
      client: 'cuckoo/bench',
      chain: { pollMs: 1_000, confirmations: 0 },
    },
    onEvent: (event) => {
      if (event.type === 'taskDone') inferenceMs = event.inferenceMs
    },
  })
  end = async () => {
    await miner.stop()
    await engine.dispose()
  }
}

process.on('message', async (command: MinerCommand) => {
  if (command.type === 'watchLag') lag.enable()
  else if (command.type === 'start') await start(command)
  const report: MinerReport = { lagMs: lag.percentile(99) / 1e6, inferenceMs }
  process.send?.(report)
})
process.on('disconnect', async () => {
  await end()
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

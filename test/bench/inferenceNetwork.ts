import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '../../src/api/client.ts'
import { weiPerCai } from '../../src/domain/amount.ts'
import type { Engine } from '../../src/domain/enginePort.ts'
import type { OfferedModel } from '../../src/miner/modelShelf.ts'
import { startMiner } from '../../src/miner/startMiner.ts'
import { openMinerStore } from '../../src/store/minerStore.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { createMinerMetrics } from '../../src/telemetry/metrics.ts'
import { coordinatorNode, coordinatorSigner, toMinerNode, toMinerSigner, verifier } from '../support/coordinatorRig.ts'
import { createFakeChain } from '../support/fakeChain.ts'
import { createNodeRecord } from '../support/minerFakes.ts'

export interface BenchNetwork {
  app: Client
  close(): Promise<void>
}

/**
 * A miner in this process on `engine`, and a coordinator in another that knows it: real store, server, sessions, signatures and
 * tokenizers. The chain alone is played.
 */
export async function startBenchNetwork(engine: Engine, models: readonly OfferedModel[]): Promise<BenchNetwork> {
  const child: ChildProcess = fork(fileURLToPath(new URL('./inferenceCoordinator.ts', import.meta.url)), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [{ url, apiKey }] = (await once(child, 'message')) as [{ url: string; apiKey: string }]
  const directory = mkdtempSync(join(tmpdir(), 'cuckoo-bench-miner-'))
  const [node, signer] = [toMinerNode(1), toMinerSigner(1)]
  const records = [
    createNodeRecord(coordinatorNode, 'coordinator', coordinatorSigner.address, { url }),
    createNodeRecord(node, 'miner', signer.address, { weightCai: 21_000 }),
  ]
  const store = await openMinerStore({ directory })
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
      slots: 16,
      coordinators: [],
      blocked: [],
      minUnitPriceWei: 0n,
      maxUnpaid: 1_000,
      redeemAboveWei: null,
      allowPrivate: true,
      client: 'cuckoo/bench',
      chain: { pollMs: 1_000, confirmations: 0 },
    },
    onEvent: () => undefined,
  })
  const app = createClient({ url, apiKey, allowPrivate: true, timeoutMs: 120_000 })
  await waitForModels(app, models.length)
  return {
    app,
    close: async () => {
      await app.close()
      await miner.stop()
      await store.close()
      child.disconnect()
      await once(child, 'exit')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function waitForModels(app: Client, count: number): Promise<void> {
  const endsAt = Date.now() + 60_000
  while ((await app.listModels({})).data.length < count) {
    if (Date.now() > endsAt) throw new Error('the miner offers no models at the coordinator')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

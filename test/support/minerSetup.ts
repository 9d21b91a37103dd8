import { createSignatureVerifier } from '../../src/chain/signer.ts'
import type { MinerConfig } from '../../src/miner/minerConfig.ts'
import type { MinerTiming } from '../../src/miner/minerTiming.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { createMinerMetrics } from '../../src/telemetry/metrics.ts'

/** Everything fast: no test waits for a real pause. */
export const fastTiming: Partial<MinerTiming> = {
  pollWaitMs: 200,
  minPollMs: 5,
  chunkMs: 5,
  backoff: { baseMs: 10, maxMs: 40 },
  sessionTakenMs: 150,
  farewellMs: 300,
  removedGraceMs: 500,
}

/** A silent miner of one slot for `model`; who it is, its chain, store and engine are to be added. */
export function createMinerSetup(model: string, more: Partial<MinerConfig> = {}) {
  const config: MinerConfig = {
    models: [{ model, source: { from: 'bundled' }, dtype: 'fp32', device: 'cpu' }],
    slots: 1,
    coordinators: [],
    blocked: [],
    minUnitPriceWei: 0n,
    maxUnpaid: 2,
    redeemAboveWei: null,
    allowPrivate: true,
    client: 'cuckoo/test',
    chain: { pollMs: 100, confirmations: 0 },
    timing: fastTiming,
    ...more,
  }
  return {
    verifier: createSignatureVerifier(),
    clock: { nowMs: () => Date.now() },
    logger: createLogger({ level: 'silent', name: 'miner' }),
    metrics: createMinerMetrics(),
    config,
  }
}

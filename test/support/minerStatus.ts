import type { CoordinatorState, MinerState } from '../../src/miner/minerState.ts'
import { chainTime, operator, otherNode, owner } from './cli.ts'

const cai = 10n ** 18n
const manifest = `0x${'ab'.repeat(32)}` as const
/** unix ms at which the states below were taken */
export const stateTakenAtMs = chainTime * 1_000

/** A coordinator that pays well, with one task under way. */
export function createCoordinatorState(fields: Partial<CoordinatorState> = {}): CoordinatorState {
  return {
    node: otherNode,
    url: 'https://coordinator.example',
    weightWei: 2_100_000n * cai,
    paymentFactor: 1,
    session: 'open',
    sessionId: `0x${'cd'.repeat(32)}`,
    slots: 2,
    lastReasons: [],
    lastError: null,
    tasksDone: 12,
    tasksFailed: 1,
    earnedWei: cai / 100n,
    payments: { owedWei: cai / 50n, unpaidResults: 1, voucherWei: cai / 60n, redeemableWei: cai / 70n, lineLeftWei: 9n * cai },
    tasks: [
      {
        taskId: `0x${'ee'.repeat(32)}`,
        attempt: 1,
        model: 'cuckoo/blocks',
        kind: 'image',
        startedAtMs: stateTakenAtMs - 2_500,
        unitsDone: 7,
        maxUnits: 20n,
        delivering: false,
      },
    ],
    ...fields,
  }
}

/** A miner that has been up for three hours. */
export function createMinerState(fields: Partial<MinerState> = {}): MinerState {
  return {
    node: owner,
    operator,
    startedAtMs: stateTakenAtMs - 11_520_000,
    uptimeMs: 11_520_000,
    phase: 'running',
    pauseReason: null,
    slots: 2,
    devices: [{ device: 'webgpu', running: 1, waiting: 2, slots: 1 }],
    memory: { usedBytes: 1_240_000_000, budgetBytes: 8_000_000_000 },
    eventLoopLag: { p50Ms: 0.4, p99Ms: 3.2, maxMs: 21 },
    kinds: [
      {
        kind: 'image',
        tasksDone: 12,
        tasksFailed: 1,
        units: 240n,
        unitsPerSecond: 7.25,
        earnedWei: cai / 100n,
        inferenceMs: { p50: 2_700, p95: 3_900 },
      },
    ],
    crashedTasks: [],
    lastError: null,
    nodeSetAgeMs: 900,
    models: [
      {
        model: 'cuckoo/blocks',
        manifest,
        kind: 'image',
        dtype: 'fp16',
        device: 'webgpu',
        deviceReason: 'best here',
        unitsPerSecond: 8.2,
        state: 'loaded',
        pinned: true,
        memoryBytes: 1_240_000_000,
        running: 1,
        withheld: null,
      },
      {
        model: 'an-owner-with-a-long-name/and-a-model-with-a-longer-one',
        manifest,
        kind: 'text',
        dtype: 'q8',
        device: 'cpu',
        deviceReason: 'named',
        unitsPerSecond: 83,
        state: 'unloaded',
        pinned: false,
        memoryBytes: 620_000_000,
        running: 0,
        withheld: null,
      },
    ],
    coordinators: [createCoordinatorState()],
    ...fields,
  }
}

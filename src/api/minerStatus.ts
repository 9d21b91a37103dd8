import { z } from 'zod'
import { deviceNames } from '../domain/enginePort.ts'
import { taskKinds } from '../domain/taskKinds.ts'
import { zList } from './list.ts'
import { zAddress, zHash, zModelKind, zTaskKind, zWei } from './wire.ts'

const zMs = z.number().min(0)
const zUnixMs = z.int().min(0)
const zCount = z.int().min(0)
const zPerSecond = z.number().min(0).describe('paid units per second; 0: unknown')
const zProblem = z.object({ code: z.string(), message: z.string(), hint: z.string().nullable() })
const zDevice = z.enum(deviceNames)

const zRunningTask = z.object({
  taskId: zHash,
  attempt: z.int(),
  model: z.string(),
  kind: zTaskKind,
  startedAtMs: zUnixMs,
  unitsDone: z.number(),
  maxUnits: zWei,
  delivering: z.boolean().describe('the model is done, the result is on its way'),
})

const zCoordinatorStatus = z.object({
  node: zAddress.nullable(),
  url: z.string(),
  weightWei: zWei,
  paymentFactor: z.number().describe('0.25 (does not pay) to 1 (pays in time, or new)'),
  session: z.enum(['standby', 'connecting', 'open', 'paused', 'retrying', 'draining', 'ended']),
  sessionId: zHash.nullable(),
  slots: zCount,
  lastReasons: zList(z.string(), 100).describe('why the last poll brought nothing'),
  lastError: zProblem.nullable(),
  tasksDone: zCount,
  tasksFailed: zCount,
  earnedWei: zWei.describe('of the results accepted since the start'),
  payments: z
    .object({ owedWei: zWei, unpaidResults: zCount, voucherWei: zWei, redeemableWei: zWei, lineLeftWei: zWei.nullable() })
    .nullable()
    .describe('null: no session yet'),
  tasks: zList(zRunningTask, 1_000),
})

const zModelStatus = z.object({
  model: z.string(),
  manifest: zHash,
  kind: zModelKind,
  dtype: z.string(),
  device: zDevice,
  deviceReason: z.string(),
  unitsPerSecond: zPerSecond,
  state: z.enum(['loaded', 'loading', 'unloaded']),
  pinned: z.boolean(),
  memoryBytes: zCount,
  running: zCount,
  withheld: z
    .object({ reason: z.string(), retryAtMs: zUnixMs.nullable().describe('null: not before the miner is restarted') })
    .nullable()
    .describe('why it is not offered now; null: it is'),
})

const zKindStatus = z.object({
  kind: zTaskKind,
  tasksDone: zCount,
  tasksFailed: zCount,
  units: zWei,
  unitsPerSecond: zPerSecond,
  earnedWei: zWei,
  inferenceMs: z.object({ p50: zMs, p95: zMs }).nullable(),
})

/** A running miner as its control endpoint tells it. Money is wei in decimal strings, times are unix ms. */
export const zMinerStatus = z.object({
  pid: z.int(),
  version: z.string(),
  network: z.string(),
  node: zAddress,
  operator: zAddress,
  startedAtMs: zUnixMs,
  uptimeMs: zMs,
  phase: z.enum(['running', 'paused', 'draining', 'stopped']),
  pauseReason: z.string().nullable(),
  slots: zCount,
  devices: zList(z.object({ device: zDevice, running: zCount, waiting: zCount, slots: zCount.nullable().describe('null: as many as the miner has') }), 100),
  memory: z.object({ usedBytes: zCount, budgetBytes: zCount.nullable().describe('null: no limit') }),
  eventLoopLag: z.object({ p50Ms: zMs, p99Ms: zMs, maxMs: zMs }),
  kinds: zList(zKindStatus, taskKinds.length),
  crashedTasks: zList(
    z.object({ taskId: zHash, attempt: z.int(), coordinator: zAddress, model: z.string(), manifest: zHash, atMs: zUnixMs, reported: z.boolean() }),
    10_000,
  ),
  lastError: z.object({ atMs: zUnixMs, error: zProblem }).nullable(),
  nodeSetAgeMs: zMs,
  models: zList(zModelStatus, 1_000),
  coordinators: zList(zCoordinatorStatus, 10_000),
})
export type MinerStatus = z.output<typeof zMinerStatus>

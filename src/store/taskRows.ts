import type { Address, Hash } from '../domain/hex.ts'
import type { Receipt } from '../domain/receipt.ts'
import type { NewTask, TaskRecord } from '../domain/storePorts.ts'
import type { AttemptFailure, TaskState } from '../domain/task.ts'
import { noFailures } from '../domain/taskRecord.ts'

/** A row of `tasks` as SQLite returns it. */
export interface TaskRow {
  id: string
  app_id: string
  idempotency_key: string | null
  request_hash: string
  model: string
  manifest: string
  kind: string
  input_hash: string
  params_hash: string
  seed: string
  task_key: string
  target_miner: string | null
  unit_price_wei: string
  max_price_wei: string
  state: string
  attempt: number
  miner: string | null
  lease_until_ms: number | null
  failures: string
  output_hash: string | null
  receipt: string | null
  created_at_ms: number
  finished_at_ms: number | null
}

/** The record that a row holds. */
export function fromTaskRow(row: TaskRow): TaskRecord {
  return {
    id: row.id as Hash,
    appId: row.app_id,
    idempotencyKey: row.idempotency_key,
    requestHash: row.request_hash as Hash,
    model: row.model,
    manifest: row.manifest as Hash,
    kind: row.kind as TaskRecord['kind'],
    inputHash: row.input_hash as Hash,
    paramsHash: row.params_hash as Hash,
    seed: BigInt(row.seed),
    taskKey: row.task_key as Hash,
    targetMiner: row.target_miner as Address | null,
    unitPriceWei: BigInt(row.unit_price_wei),
    maxPriceWei: BigInt(row.max_price_wei),
    state: row.state as TaskState,
    attempt: row.attempt,
    miner: row.miner as Address | null,
    leaseUntilMs: row.lease_until_ms,
    failures: row.failures === '[]' ? noFailures : (JSON.parse(row.failures) as AttemptFailure[]),
    outputHash: row.output_hash as Hash | null,
    receipt: row.receipt === null ? null : decodeReceipt(row.receipt),
    createdAtMs: row.created_at_ms,
    finishedAtMs: row.finished_at_ms,
  }
}

/** Named parameters of the insert of a new task. */
export function toTaskParameters(task: NewTask): Record<string, string | number | null> {
  return {
    id: task.id,
    app_id: task.appId,
    idempotency_key: task.idempotencyKey,
    request_hash: task.requestHash,
    model: task.model,
    manifest: task.manifest,
    kind: task.kind,
    input_hash: task.inputHash,
    params_hash: task.paramsHash,
    seed: task.seed.toString(),
    task_key: task.taskKey,
    target_miner: task.targetMiner,
    unit_price_wei: task.unitPriceWei.toString(),
    max_price_wei: task.maxPriceWei.toString(),
    created_at_ms: task.createdAtMs,
  }
}

/** A receipt as JSON, its integers as decimal strings. */
export function encodeReceipt(receipt: Receipt): string {
  const { assignment, result, ...signatures } = receipt
  return JSON.stringify({
    ...signatures,
    assignment: {
      ...assignment,
      seed: assignment.seed.toString(),
      unitPriceWei: assignment.unitPriceWei.toString(),
      maxPriceWei: assignment.maxPriceWei.toString(),
      issuedAt: assignment.issuedAt.toString(),
      deadline: assignment.deadline.toString(),
    },
    result: { ...result, units: result.units.toString() },
  })
}

function decodeReceipt(text: string): Receipt {
  const { assignment, result, ...signatures } = JSON.parse(text) as Receipt
  return {
    ...signatures,
    assignment: {
      ...assignment,
      seed: BigInt(assignment.seed),
      unitPriceWei: BigInt(assignment.unitPriceWei),
      maxPriceWei: BigInt(assignment.maxPriceWei),
      issuedAt: BigInt(assignment.issuedAt),
      deadline: BigInt(assignment.deadline),
    },
    result: { ...result, units: BigInt(result.units) },
  }
}

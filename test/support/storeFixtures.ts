import { encodeCanonical } from '../../src/domain/canonical.ts'
import { type Hash, zeroHash } from '../../src/domain/hex.ts'
import type { Receipt } from '../../src/domain/receipt.ts'
import type { DrawRecord, NewTask } from '../../src/domain/storePorts.ts'

/** A hash that shows its number. */
export function toNumberedHash(number: number): Hash {
  return `0x${number.toString(16).padStart(64, '0')}`
}

export function createNewTask(number: number, more: Partial<NewTask> = {}): NewTask {
  return {
    id: toNumberedHash(number),
    appId: 'app',
    idempotencyKey: null,
    requestHash: toNumberedHash(0xf1),
    model: 'test/letters',
    manifest: toNumberedHash(0xf2),
    kind: 'completion',
    inputHash: toNumberedHash(0xf3),
    paramsHash: toNumberedHash(0xf4),
    seed: 7n,
    taskKey: toNumberedHash(0xf5),
    targetMiner: null,
    unitPriceWei: 10n ** 12n,
    maxPriceWei: 10n ** 14n,
    createdAtMs: 1_000,
    blobs: [encodeCanonical({ tokenIds: [number] })],
    ...more,
  }
}

export function toDraw(index: bigint, taskId: Hash): DrawRecord {
  return {
    index,
    taskId,
    attempt: 1,
    miner: `0x${'1'.padStart(40, '0')}`,
    commitment: toNumberedHash(0xf6),
    k: 0,
    totalWeightWei: 2n ** 96n,
    waiting: 3,
    atMs: 1_000,
    head: toNumberedHash(5_000 + Number(index)),
  }
}

export function toTestReceipt(taskId: Hash): Receipt {
  const address = `0x${'1'.padStart(40, '0')}` as const
  return {
    assignment: {
      taskId,
      attempt: 1,
      coordinator: address,
      miner: address,
      manifest: zeroHash,
      inputHash: zeroHash,
      paramsHash: zeroHash,
      seed: 2n ** 64n - 1n,
      unitPriceWei: 10n ** 12n,
      maxPriceWei: 2n ** 128n - 1n,
      issuedAt: 1_700_000_000n,
      deadline: 1_700_003_600n,
      drawRef: zeroHash,
    },
    assignmentSignature: `0x${'ab'.repeat(65)}`,
    result: { assignment: zeroHash, outputHash: zeroHash, units: 2n ** 63n, finishReason: 1 },
    resultSignature: `0x${'cd'.repeat(65)}`,
  }
}

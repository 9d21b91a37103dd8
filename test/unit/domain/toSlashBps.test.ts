import { expect, it } from 'vitest'
import { toSlashBps } from '../../../src/domain/toSlashBps.ts'

it.each([
  { record: { step: 0, stepAt: 0, stepBps: 0 }, issuedAt: 50, bps: 1_000 },
  { record: { step: 1, stepAt: 100, stepBps: 1_000 }, issuedAt: 101, bps: 5_000 },
  { record: { step: 2, stepAt: 100, stepBps: 5_000 }, issuedAt: 101, bps: 10_000 },
  { record: { step: 3, stepAt: 100, stepBps: 10_000 }, issuedAt: 101, bps: 10_000 },
  { record: { step: 1, stepAt: 100, stepBps: 1_000 }, issuedAt: 100, bps: 1_000 },
  { record: { step: 1, stepAt: 100, stepBps: 2_500 }, issuedAt: 99, bps: 500 },
  { record: { step: 1, stepAt: 100, stepBps: 3_000 }, issuedAt: 99, bps: 0 },
  { record: { step: 2, stepAt: 100, stepBps: 5_000 }, issuedAt: 99, bps: 0 },
])('$record takes $bps of 10,000 for an assignment of $issuedAt', ({ record, issuedAt, bps }) => {
  expect(toSlashBps(record, issuedAt)).toBe(bps)
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { ContentSweep } from '../../../src/coordinator/contentSweep.ts'
import { defaultCoordinatorConfig } from '../../../src/coordinator/coordinatorPorts.ts'
import { encodeCanonical } from '../../../src/domain/canonical.ts'
import type { CoordinatorStore, NewTask } from '../../../src/domain/storePorts.ts'
import { storeFull } from '../../../src/errors/store.ts'
import { openCoordinatorStore } from '../../../src/store/coordinatorStore.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'
import { createCoordinatorMetrics } from '../../../src/telemetry/metrics.ts'
import { createNewTask } from '../../support/storeFixtures.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const day = 86_400_000
const minute = 60_000

async function createBench(change: (store: CoordinatorStore) => Partial<CoordinatorStore> = () => ({})) {
  const directory = mkdtempSync(join(tmpdir(), 'cuckoo-sweep-'))
  cleanUps.push(() => rmSync(directory, { recursive: true, force: true }))
  const store = await openCoordinatorStore({ directory })
  cleanUps.push(() => store.close())
  const deleteBlobs = vi.fn(store.deleteBlobs)
  const clock = { atMs: 100 * day, nowMs: () => clock.atMs }
  const ports = {
    store: { ...store, deleteBlobs, ...change(store) },
    clock,
    config: { ...defaultCoordinatorConfig, keepMs: day },
    metrics: createCoordinatorMetrics(),
    logger: createLogger({ level: 'silent', name: 'test' }),
  }
  const sweep = new ContentSweep(ports)
  cleanUps.push(() => sweep.close())
  return { store, sweep, clock, deleteBlobs }
}

function createTask(number: number): NewTask {
  const input = encodeCanonical({ prompt: `text ${number}` })
  return createNewTask(number, { createdAtMs: 1, inputHash: input.hash, blobs: [input] })
}

const countKept = async (store: CoordinatorStore, tasks: NewTask[]) =>
  (await Promise.all(tasks.map(({ inputHash }) => store.getBlob(inputHash)))).filter((bytes) => bytes !== null).length

test('takes small portions with pauses between them, and passes by every open task, however many', async () => {
  const { store, sweep, deleteBlobs } = await createBench()
  const [open, ended] = [0, 1_000].map((first) => Array.from({ length: 600 }, (_, index) => createTask(first + index))) as [NewTask[], NewTask[]]
  await Promise.all([...open, ...ended].map((task) => store.createTask(task)))
  await Promise.all(ended.map(({ id }) => store.cancelTask({ id, atMs: 2 })))
  const startedAt = performance.now()
  await sweep.update()
  expect([await countKept(store, open), await countKept(store, ended)]).toEqual([600, 0])
  // One look for uploads; 256, 256, 88 and none. With those for open tasks nine transactions, 20 ms apart at least.
  expect(deleteBlobs.mock.calls.map(([{ by }]) => by)).toEqual(['upload', 'task', 'task', 'task', 'task'])
  expect(await Promise.all(deleteBlobs.mock.results.map(({ value }) => value))).toMatchObject([0, 256, 256, 88, 0].map((blobs) => ({ blobs })))
  expect(performance.now() - startedAt).toBeGreaterThan(150)
})

test('comes back every ten minutes; a call that finds it at work does not put off the next', async () => {
  const { sweep, clock, deleteBlobs } = await createBench()
  const first = sweep.update()
  clock.atMs += 11 * minute
  expect(sweep.update()).toBe(first)
  await first
  deleteBlobs.mockClear()
  await sweep.update()
  expect(deleteBlobs).toHaveBeenCalled()
  deleteBlobs.mockClear()
  clock.atMs += 9 * minute
  await sweep.update()
  expect(deleteBlobs).not.toHaveBeenCalled()
})

test('a full disk does not end it: it is tried again at the next time', async () => {
  let isFull = true
  const { store, sweep, clock } = await createBench((real) => ({
    raiseContentHorizon: (atMs) => (isFull ? Promise.reject(storeFull({ directory: '/' })) : real.raiseContentHorizon(atMs)),
  }))
  const task = createTask(1)
  await store.createTask(task)
  await store.cancelTask({ id: task.id, atMs: 2 })
  await sweep.update()
  expect(await countKept(store, [task])).toBe(1)
  isFull = false
  clock.atMs += 11 * minute
  await sweep.update()
  expect(await countKept(store, [task])).toBe(0)
})

test('ends with the transaction under way when it is closed', async () => {
  const { store, sweep, deleteBlobs } = await createBench()
  const tasks = Array.from({ length: 600 }, (_, index) => createTask(index))
  await Promise.all(tasks.map((task) => store.createTask(task)))
  await Promise.all(tasks.map(({ id }) => store.cancelTask({ id, atMs: 2 })))
  const sweeping = sweep.update()
  await vi.waitFor(() => expect(deleteBlobs.mock.calls.filter(([{ by }]) => by === 'task').length).toBe(1), { interval: 1 })
  await sweep.close()
  await sweeping
  expect(await countKept(store, tasks)).toBe(600 - 256)
})

import { afterEach, expect, test, vi } from 'vitest'
import { devnetParameters } from '../../../src/domain/networkParameters.ts'
import type { MinerStore, ResultSweep } from '../../../src/domain/storePorts.ts'
import { storeFull } from '../../../src/errors/store.ts'
import { watchOutbox } from '../../../src/miner/watchOutbox.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'
import { waitFor } from '../../support/minerCoordinator.ts'
import { createFakeMinerStore } from '../../support/minerFakes.ts'
import { createMiner, endRigsAfterEach } from '../../support/minerRig.ts'

endRigsAfterEach()

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

type Sweep = MinerStore['sweepResults']
const logger = createLogger({ level: 'silent', name: 'test' })
const nothing = { results: 0, bytes: 0 }

/** A watch over a journal that `sweepResults` stands for. */
function watch(sweepResults: Sweep, { getParameters = async () => devnetParameters, pauseMs = 5, getTime = (): number => 1_000 } = {}) {
  const stop = watchOutbox({ store: { sweepResults }, chain: { getParameters }, getNodeSet: () => ({ blockTimestamp: getTime() }), logger }, pauseMs)
  stops.push(stop)
  return stop
}

test('takes small steps until nothing is left, and comes back: by the newest block’s time, and the court’s window', async () => {
  const left = [3, 2, 0, 1, 0]
  const steps: ResultSweep[] = []
  let now = 1_000
  watch(
    async (step) => {
      steps.push(step)
      const results = left.shift() ?? 0
      if (results === 0) now += 60
      return { results, bytes: results }
    },
    { getTime: () => now },
  )
  await waitFor(() => steps.length > 5, 'three sweeps')
  expect(steps.slice(0, 6).map((step) => step.now)).toEqual([1_000, 1_000, 1_000, 1_060, 1_060, 1_120])
  expect(steps[0]).toMatchObject({ bodySeconds: 300, rowSeconds: devnetParameters.evidenceSeconds + 3_600 })
  expect(steps[0]?.limit).toBeLessThanOrEqual(512)
  expect(steps[0]?.limitBytes).toBeLessThanOrEqual(2 ** 23)
})

test('leaves the store to others between two steps', async () => {
  const ends: number[] = []
  watch(async () => {
    ends.push(performance.now())
    return { results: ends.length < 6 ? 1 : 0, bytes: 1 }
  })
  await waitFor(() => ends.length > 5, 'six steps')
  expect((ends[5] as number) - (ends[0] as number)).toBeGreaterThan(90)
})

test('ends with the transaction under way when it is stopped, and starts none after it', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const sweepResults = vi.fn<Sweep>(async () => {
    await promise
    return { results: 1, bytes: 1 }
  })
  const stop = watch(sweepResults)
  await waitFor(() => sweepResults.mock.calls.length === 1, 'the first step')
  let hasEnded = false
  const ended = stop().then(() => {
    hasEnded = true
  })
  await new Promise((next) => setImmediate(next))
  expect(hasEnded).toBe(false)
  resolve()
  await ended
  await new Promise((next) => setTimeout(next, 50))
  expect(sweepResults).toHaveBeenCalledTimes(1)
})

test('a chain that cannot be reached, or a full disk, does not end it', async () => {
  const failures = [new Error('no chain'), null, null]
  const answers = [storeFull({ directory: '/' }), nothing]
  const sweepResults = vi.fn<Sweep>(async () => {
    const answer = answers.shift() ?? nothing
    if (answer instanceof Error) throw answer
    return answer
  })
  const getParameters = vi.fn(async () => {
    const failure = failures.shift() ?? null
    if (failure !== null) throw failure
    return devnetParameters
  })
  watch(sweepResults, { getParameters })
  await waitFor(() => sweepResults.mock.calls.length > 1, 'a second step')
  expect(getParameters.mock.calls.length).toBeGreaterThan(2)
})

test('a miner sweeps from its start on, and has ended only when its last step has', async () => {
  const store = createFakeMinerStore()
  const { promise, resolve } = Promise.withResolvers<void>()
  const steps: ResultSweep[] = []
  store.sweepResults = async (step) => {
    steps.push(step)
    await promise
    return nothing
  }
  const { miner, chain, events } = await createMiner([], { store })
  await waitFor(() => steps.length === 1, 'the first step')
  expect(steps[0]?.now).toBe(chain.blockTimestamp)
  const stopped = miner.stop()
  await waitFor(() => chain.openWatches === 0, 'the rest to end')
  expect(events.map(({ type }) => type)).not.toContain('stopped')
  resolve()
  await stopped
  expect(events.map(({ type }) => type)).toContain('stopped')
})

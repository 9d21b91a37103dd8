import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { TaskContent } from '../../../src/domain/task.ts'
import { draining } from '../../../src/errors/api.ts'
import type { MinerTiming } from '../../../src/miner/minerTiming.ts'
import { createTestTask, type TestCoordinator, waitFor } from '../../support/minerCoordinator.ts'
import { createManifest, createTestImage } from '../../support/minerFakes.ts'
import { coordinatorParty, createCoordinator, createMiner, endRigsAfterEach, type MinerRig, minerNode, minerRecord, toRecord } from '../../support/minerRig.ts'

endRigsAfterEach()

const photo = createTestImage('a cat')
const caption: TaskContent = { kind: 'captioning', input: { media: photo.media }, params: { maxTokens: 8 } }
const text: TaskContent = { kind: 'text-classification', input: { text: 'how nice' }, params: { topK: 1 } }
const kinds = ['captioning', 'text-classification'] as const
const toModel = (kind: (typeof kinds)[number]) => ({
  model: `test/${kind}`,
  source: { from: 'bundled' as const },
  dtype: 'fp32' as const,
  device: 'cpu' as const,
})

async function start(coordinators: TestCoordinator[], slots: number, timing: Partial<MinerTiming> = {}): Promise<MinerRig> {
  const records = coordinators.map((coordinator) => toRecord(coordinator, { weightCai: 1_000_000 }))
  return createMiner(records, { config: { slots, models: kinds.map(toModel) }, timing })
}
const toTask = (coordinator: TestCoordinator, name: string, content: TaskContent = caption) =>
  createTestTask({ ...coordinatorParty, node: coordinator.node }, minerNode, name, {
    content,
    manifest: createManifest(`test/${content.kind}`, content.kind as 'captioning'),
  })
const countTasks = (rig: MinerRig) => rig.miner.state().coordinators.reduce((sum, { tasks }) => sum + tasks.length, 0)
const failures = (rig: MinerRig) => rig.events.flatMap((event) => (event.type === 'taskFailed' ? [event.error.code] : []))

describe('the media of a task', () => {
  it.each([
    ['says that it is busy, again and again', () => Promise.reject(draining({}))],
    ['does not answer', () => delay(60_000, undefined, { ref: false })],
  ])('of a coordinator that %s have a time of their own, and the task is given back', async (_, answer) => {
    const coordinator = await createCoordinator()
    coordinator.before.getTaskMedia = answer
    const rig = await start([coordinator], 1, { mediaMs: 60 })
    const startedAtMs = performance.now()
    coordinator.queue(toTask(coordinator, 'never'))
    await coordinator.waitForCalls('failTask', 1)
    expect(performance.now() - startedAtMs).toBeGreaterThan(59)
    expect(coordinator.calls.failTask[0]?.body).toMatchObject({
      code: 'CUCKOO_MINER_MEDIA_LATE',
      message: expect.stringMatching(
        new RegExp(`^The coordinator did not hand over the medium ${photo.media.sha256} of ${photo.media.bytes} bytes within \\d+ ms\\.$`),
      ),
      fatal: false,
    })
    await waitFor(() => failures(rig).length === 1, 'the failure')
    expect(rig.engine.runs).toEqual([])
  })

  it('that come at 125 kB/s are in time, whatever the limit beside them', async () => {
    const bytes = 25_000
    const large = { ...photo.media, bytes }
    const coordinator = await createCoordinator()
    coordinator.before.getTaskMedia = () => delay(60_000, undefined, { ref: false })
    const rig = await start([coordinator], 1, { mediaMs: 50 })
    coordinator.queue(toTask(coordinator, 'large', { kind: 'captioning', input: { media: large }, params: { maxTokens: 8 } }))
    const { error } = await rig.waitForEvent('taskFailed')
    expect(error.facts).toMatchObject({ bytes, limitMs: 250 })
  })

  it('that do not come make a miner ask less and less often', async () => {
    const coordinator = await createCoordinator()
    coordinator.before.getTaskMedia = () => Promise.reject(draining({}))
    const rig = await start([coordinator], 1, { mediaMs: 1, backoff: { baseMs: 80, maxMs: 800 } })
    for (let index = 0; index < 20; index++) coordinator.queue(toTask(coordinator, `never ${index}`))
    await coordinator.waitForCalls('failTask', 4)
    const [first, , , fourth] = coordinator.calls.failTask
    // Two pauses of 40 ms at least: before the third poll and the fourth.
    expect((fourth?.atMs as number) - (first?.atMs as number)).toBeGreaterThan(75)
    expect(new Set(failures(rig))).toEqual(new Set(['CUCKOO_MINER_MEDIA_LATE']))
  })

  it('that are waited for take no slot of the engine from another coordinator, and no more tasks are drawn than there are slots', async () => {
    const [slow, quick] = await Promise.all([createCoordinator(), createCoordinator({ node: `0x${'dd'.repeat(20)}` })])
    const come = Promise.withResolvers<void>()
    slow.media.set(photo.media.sha256, photo.data)
    slow.before.getTaskMedia = () => come.promise
    let running = 0
    let most = 0
    const release = Promise.withResolvers<void>()
    const rig = await start([slow, quick], 2, { removedGraceMs: 60_000 })
    const make = rig.engine.mediaScript
    rig.engine.mediaScript = async (run) => {
      most = Math.max(most, ++running)
      await release.promise
      running--
      return make(run)
    }
    for (let index = 0; index < 6; index++) slow.queue(toTask(slow, `slow ${index}`))
    await slow.waitForCalls('getTaskMedia', 1)
    await delay(100)
    expect(slow.calls.getTaskMedia).toHaveLength(1)
    // Their coordinator is gone from the chain, but may still finish: the other gets all the slots.
    rig.chain.setNodes([minerRecord, toRecord(slow, { active: false }), toRecord(quick)])
    quick.queue(toTask(quick, 'quick 0', text))
    quick.queue(toTask(quick, 'quick 1', text))
    await waitFor(() => running === 2, 'two tasks in their models, beside the one that waits for its media')
    expect(countTasks(rig)).toBe(3)
    come.resolve()
    await delay(100)
    expect(running).toBe(2)
    release.resolve()
    await slow.waitForCalls('submitResult', 1)
    expect(most).toBe(2)
  })
})

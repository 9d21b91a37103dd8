import { describe, expect, it } from 'vitest'
import { sha256 } from '../../../src/domain/canonical.ts'
import type { ImageMedia, MediaFile } from '../../../src/domain/media.ts'
import type { ImageParams, TaskContent } from '../../../src/domain/task.ts'
import { carriedLimits, type ModelKind } from '../../../src/domain/taskKinds.ts'
import { draining, leaseLost, resultInvalid, resultMediumAbsent } from '../../../src/errors/api.ts'
import { createTestTask, waitFor } from '../../support/minerCoordinator.ts'
import { createManifest, createTestImage } from '../../support/minerFakes.ts'
import { coordinatorParty, createCoordinator, createMiner, endRigsAfterEach, minerNode, toRecord } from '../../support/minerRig.ts'

endRigsAfterEach()

const params: ImageParams = { count: 2, width: 64, height: 64, steps: 4, guidance: 2, scheduler: 'ddim' }
const image = (more: Partial<ImageParams> = {}, prompt = 'a red square'): TaskContent => ({
  kind: 'image',
  input: { prompt, negativePrompt: '' },
  params: { ...params, ...more },
})
const photo = createTestImage('a cat')
const caption = (media: ImageMedia = photo.media): TaskContent => ({ kind: 'captioning', input: { media }, params: { maxTokens: 8 } })

/** A miner of one model of `kind`, and its coordinator with a task of `content`. */
async function createKind(kind: ModelKind, content: TaskContent, name = 'one') {
  const coordinator = await createCoordinator()
  const models = [{ model: `test/${kind}`, source: { from: 'bundled' as const }, dtype: 'fp32' as const, device: 'cpu' as const }]
  const rig = await createMiner([toRecord(coordinator)], { config: { models } })
  const task = () => createTestTask(coordinatorParty, minerNode, name, { content, manifest: createManifest(`test/${kind}`, kind) })
  return { coordinator, rig, task }
}

const [largeBytes, smallBytes] = [carriedLimits.maxMediaBytes + 1, carriedLimits.maxMediaBytes]

/** Like {@link createKind} for images, which are as large as `bytes` says by their place. */
async function createImages(count: number, bytes: (index: number) => number = () => largeBytes) {
  const made = Array.from({ length: count }, (_, index) => createTestImage(`a red square ${index}`, bytes(index)))
  const kind = await createKind('image', image({ count: Math.min(count, 4) }))
  kind.rig.engine.mediaScript = async () => ({ output: { images: made.map(({ media }) => media) }, files: made })
  return { ...kind, made }
}

describe('an image task', () => {
  it('hands in large images, byte for byte, before the result that names them', async () => {
    const { coordinator, rig, task, made } = await createImages(2)
    coordinator.queue(task())
    // 2 images × 4 steps × 1 started area
    expect(await rig.waitForEvent('taskDone')).toMatchObject({ units: 8n, priceWei: 8000n, task: { kind: 'image' } })
    expect(coordinator.calls.putTaskMedia.map(({ params, body }) => [params.hash, Buffer.from(body)])).toEqual(
      made.map(({ media, data }) => [media.sha256, data]),
    )
    const [submission] = coordinator.calls.submitResult
    expect(submission?.body.output).toEqual({ images: made.map(({ media }) => media) })
    expect(submission?.body.media).toBeUndefined()
    expect(submission?.body.result).toMatchObject({ units: 8n, finishReason: 0 })
    expect(submission?.atMs).toBeGreaterThan(coordinator.calls.putTaskMedia[1]?.atMs as number)
    expect(coordinator.calls.pushTokens).toEqual([])
    expect(rig.miner.state().kinds).toMatchObject([{ kind: 'image', tasksDone: 1, units: 8n, inferenceMs: { p50: 2, p95: 2 } }])
  })

  it('carries small images in its result, byte for byte, the same after a failure and a restart', async () => {
    const { coordinator, rig, task, made } = await createImages(2, () => smallBytes)
    coordinator.before.submitResult = () => {
      throw draining({})
    }
    coordinator.queue(task())
    await coordinator.waitForCalls('submitResult', 2)
    await rig.miner.stop()
    delete coordinator.before.submitResult
    const again = await createMiner([toRecord(coordinator)], { store: rig.store })
    expect(await again.waitForEvent('resultSettled')).toMatchObject({ error: null })
    for (const { body } of coordinator.calls.submitResult) {
      expect(body.output).toEqual({ images: made.map(({ media }) => media) })
      expect(body.media?.map((data) => Buffer.from(data))).toEqual(made.map(({ data }) => data))
    }
    expect(coordinator.calls.putTaskMedia).toEqual([])
  })

  it('of both sizes goes both ways, and of many small images the rest is handed in', async () => {
    const { coordinator, rig, task, made } = await createImages(carriedLimits.maxMedia + 3, (index) => (index === 1 ? largeBytes : 0))
    coordinator.queue(task())
    await rig.waitForEvent('taskDone')
    const handedIn = coordinator.calls.putTaskMedia.map(({ params }) => params.hash)
    expect(new Set(handedIn)).toEqual(new Set([made[1], ...made.slice(-2)].map((file) => file?.media.sha256)))
    expect(coordinator.calls.submitResult[0]?.body.media).toHaveLength(carriedLimits.maxMedia)
  })

  it('hands in its images anew to a coordinator that has lost them, and takes its second word for it', async () => {
    const { coordinator, rig, task, made } = await createImages(1)
    let answers = 0
    coordinator.before.submitResult = ({ params }) => {
      if (++answers !== 2) throw resultMediumAbsent({ taskId: params.taskId, hash: made[0]?.media.sha256 as string })
    }
    coordinator.queue(task())
    await rig.waitForEvent('taskDone')
    expect([coordinator.calls.putTaskMedia.length, coordinator.calls.submitResult.length]).toEqual([2, 2])
    answers = 2
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'two', { content: image({ count: 1 }), manifest: createManifest('test/image', 'image') }))
    expect(await rig.waitForEvent('taskFailed')).toMatchObject({ error: { code: 'CUCKOO_TASK_MEDIUM_ABSENT' } })
    expect([coordinator.calls.putTaskMedia.length, coordinator.calls.submitResult.length]).toEqual([4, 4])
  })

  it('whose image is refused ends with the reason', async () => {
    const { coordinator, rig, task } = await createImages(1)
    coordinator.before.putTaskMedia = ({ params }) => {
      throw resultInvalid({ taskId: params.taskId, problem: 'a medium of it is refused' })
    }
    coordinator.queue(task())
    expect(await rig.waitForEvent('taskFailed')).toMatchObject({ error: { code: 'CUCKOO_TASK_RESULT_INVALID' } })
    expect(coordinator.calls.submitResult).toEqual([])
  })

  it('tells its steps as units with each heartbeat', async () => {
    const { coordinator, rig, task } = await createKind('image', image())
    const release = Promise.withResolvers<void>()
    const describe = rig.engine.mediaScript
    rig.engine.mediaScript = async (run) => {
      run.onStep(1, 4)
      await release.promise
      return describe(run)
    }
    coordinator.queue({ ...task(), leaseMs: 60 })
    await waitFor(() => coordinator.calls.renewLease.some(({ body }) => body.unitsDone === 2), 'a quarter of 8 units')
    expect(rig.miner.state().coordinators[0]?.tasks).toMatchObject([{ kind: 'image', unitsDone: 2, maxUnits: 8n }])
    release.resolve()
    await rig.waitForEvent('taskDone')
  })

  it('hands in each image as soon as it is made, once', async () => {
    const { coordinator, rig, task, made } = await createImages(2)
    const finish = rig.engine.mediaScript
    rig.engine.mediaScript = async (run) => {
      run.onFile(made[0] as MediaFile)
      await coordinator.waitForCalls('putTaskMedia', 1)
      return finish(run)
    }
    coordinator.queue(task())
    await rig.waitForEvent('taskDone')
    expect(coordinator.calls.putTaskMedia.map(({ params }) => params.hash)).toEqual(made.map(({ media }) => media.sha256))
  })

  it('sends an image again with the result when it could not be handed in before', async () => {
    const { coordinator, rig, task, made } = await createImages(1)
    const finish = rig.engine.mediaScript
    let failures = 0
    coordinator.before.putTaskMedia = () => {
      if (failures++ === 0) throw draining({})
    }
    rig.engine.mediaScript = async (run) => {
      run.onFile(made[0] as MediaFile)
      await waitFor(() => failures === 1, 'the first try')
      return finish(run)
    }
    coordinator.queue(task())
    expect(await rig.waitForEvent('taskDone')).toMatchObject({ units: 4n })
    expect(failures).toBe(2)
  })

  it('sends the same bytes again after a failure, and after a restart', async () => {
    const { coordinator, rig, task, made } = await createImages(1)
    coordinator.before.putTaskMedia = () => {
      throw draining({})
    }
    coordinator.queue(task())
    await coordinator.waitForCalls('putTaskMedia', 2)
    expect(coordinator.calls.submitResult).toEqual([])
    await rig.miner.stop()
    const [entry] = [...rig.store.entries.values()]
    expect(await rig.store.listOutboxMedia(entry?.assignmentDigest as never)).toHaveLength(1)
    const calls = coordinator.calls.putTaskMedia.length
    delete coordinator.before.putTaskMedia
    const again = await createMiner([toRecord(coordinator)], { store: rig.store })
    expect(await again.waitForEvent('resultSettled')).toMatchObject({ error: null })
    for (const { body } of coordinator.calls.putTaskMedia) expect(Buffer.from(body)).toEqual(made[0]?.data)
    expect(coordinator.calls.putTaskMedia.length).toBe(calls + 1)
    expect(coordinator.calls.submitResult).toHaveLength(1)
    expect(await rig.store.listOutboxMedia(entry?.assignmentDigest as never)).toEqual([])
  })

  it('is paid where only the answer to its result was lost: the result has the last word, not its media', async () => {
    const { coordinator, rig, task } = await createImages(1)
    let submissions = 0
    coordinator.before.submitResult = () => {
      if (++submissions === 1) throw draining({})
    }
    coordinator.before.putTaskMedia = ({ params }) => {
      if (submissions > 0) throw leaseLost(params)
    }
    coordinator.queue(task())
    expect(await rig.waitForEvent('taskDone')).toMatchObject({ units: 4n })
    expect(submissions).toBe(2)
  })

  it.each([
    ['more images than the model makes at once', image({ count: 9 }), 'OVER_LIMITS'],
    ['more pixels', image({ width: 512, height: 512 }), 'OVER_LIMITS'],
    ['more steps', image({ steps: 51 }), 'OVER_LIMITS'],
    ['a longer prompt', image({}, 'a'.repeat(4_001)), 'OVER_LIMITS'],
    ['a size between its steps', image({ width: 60 }), 'UNSUPPORTED'],
    ['a scheduler it does not do', image({ scheduler: 'lcm' }), 'UNSUPPORTED'],
    ['a kind it does not do', caption(), 'KIND_MISMATCH'],
  ])('of %s is the request’s fault', async (_, content, reason) => {
    const { coordinator, task } = await createKind('image', content)
    coordinator.queue(task())
    await coordinator.waitForCalls('failTask', 1)
    expect(coordinator.calls.failTask[0]?.body).toMatchObject({ code: `CUCKOO_MINER_ASSIGNMENT_${reason}`, fatal: true })
  })
})

describe('a task with a medium', () => {
  it('is run with the bytes that the coordinator has, once they are there', async () => {
    const { coordinator, rig, task } = await createKind('captioning', caption())
    coordinator.media.set(photo.media.sha256, photo.data)
    let asked = 0
    coordinator.before.getTaskMedia = () => {
      if (++asked === 1) throw draining({})
    }
    coordinator.queue(task())
    expect(await rig.waitForEvent('taskDone')).toMatchObject({ units: 1n, task: { kind: 'captioning' } })
    expect(coordinator.calls.submitResult[0]?.body.output).toEqual({ text: `${photo.data.length} bytes` })
    expect(coordinator.calls.getTaskMedia).toHaveLength(2)
  })

  it.each([
    ['other bytes', Buffer.from('a picture of a dog')],
    ['fewer bytes', photo.data.subarray(1)],
  ])('is given back when the coordinator sends %s, and no model sees them', async (_, data) => {
    const { coordinator, rig, task } = await createKind('captioning', caption())
    const seen: (Uint8Array | null)[] = []
    rig.engine.mediaScript = async ({ media }) => {
      seen.push(media)
      return { output: { text: '' }, files: [] }
    }
    coordinator.media.set(photo.media.sha256, data)
    coordinator.queue(task())
    await coordinator.waitForCalls('failTask', 1)
    expect(coordinator.calls.failTask[0]?.body).toMatchObject({ code: 'CUCKOO_MINER_MEDIA_MISMATCH', fatal: false })
    expect(seen).toEqual([])
  })

  it('is given back when its size is not the one it was assigned with', async () => {
    const { coordinator, task } = await createKind('captioning', caption({ ...photo.media, bytes: photo.data.length + 1 }))
    coordinator.media.set(photo.media.sha256, photo.data)
    coordinator.queue(task())
    await coordinator.waitForCalls('failTask', 1)
    expect(coordinator.calls.failTask[0]?.body.code).toBe('CUCKOO_MINER_MEDIA_MISMATCH')
  })

  it.each([
    ['bytes', { ...photo.media, bytes: 20 * 2 ** 20 + 1 }],
    ['pixels', { ...photo.media, width: 4_097, height: 4_096 }],
  ])('of too many %s is refused before they are fetched', async (_, media) => {
    const { coordinator, task } = await createKind('captioning', caption(media))
    coordinator.queue(task())
    await coordinator.waitForCalls('failTask', 1)
    expect(coordinator.calls.failTask[0]?.body).toMatchObject({ code: 'CUCKOO_MINER_ASSIGNMENT_OVER_LIMITS', fatal: true })
    expect(coordinator.calls.getTaskMedia).toEqual([])
  })
})

describe('a pipeline task', () => {
  it('gives what the pipeline made, whatever it is', async () => {
    const content: TaskContent = { kind: 'text-classification', input: { text: 'how nice' }, params: { topK: 1 } }
    const { coordinator, rig, task } = await createKind('text-classification', content)
    coordinator.queue(task())
    expect(await rig.waitForEvent('taskDone')).toMatchObject({ units: 8n })
    expect(coordinator.calls.submitResult[0]?.body.output).toEqual({ labels: [{ label: 'good', score: 0.5 }] })
  })

  it('with audio for output gives it with the result', async () => {
    const { coordinator, rig, task } = await createKind('speech', { kind: 'speech', input: { text: 'hello' }, params: { voice: null, speed: 1 } })
    const data = Buffer.from('a sound')
    const audio = { sha256: sha256(data), bytes: data.length, type: 'audio/wav' as const, durationMs: 10 }
    rig.engine.mediaScript = async () => ({ output: { audio }, files: [{ media: audio, data }] })
    coordinator.queue(task())
    await rig.waitForEvent('taskDone')
    expect(coordinator.calls.submitResult[0]?.body).toMatchObject({ output: { audio }, media: [data] })
  })

  it('of a text beyond the limit is the request’s fault', async () => {
    const { coordinator, task } = await createKind('speech', { kind: 'speech', input: { text: 'a'.repeat(4_097) }, params: { voice: null, speed: 1 } })
    coordinator.queue(task())
    await coordinator.waitForCalls('failTask', 1)
    expect(coordinator.calls.failTask[0]?.body).toMatchObject({ code: 'CUCKOO_MINER_ASSIGNMENT_OVER_LIMITS', fatal: true })
  })
})

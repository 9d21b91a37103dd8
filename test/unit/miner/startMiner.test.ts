import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createSignatureVerifier } from '../../../src/chain/signer.ts'
import { verifyReceipt } from '../../../src/domain/receipt.ts'
import { toOutputHash } from '../../../src/domain/task.ts'
import { createTestTask } from '../../support/minerCoordinator.ts'
import { createManifest, testDomainSeparator } from '../../support/minerFakes.ts'
import {
  coordinatorParty,
  coordinatorSigner,
  createCoordinator,
  createMiner,
  endRigsAfterEach,
  minerNode,
  minerSigner,
  toRecord,
} from '../../support/minerRig.ts'

endRigsAfterEach()

describe('a task', () => {
  it('is run, signed by the operator, journaled and delivered once', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    const task = coordinator.queue(createTestTask(coordinatorParty, minerNode, 'good'))
    const done = await rig.waitForEvent('taskDone')
    expect(done).toMatchObject({ units: 5n, priceWei: 5000n, task: { taskId: task.assignment.taskId, attempt: 1, kind: 'completion' } })
    expect(coordinator.calls.submitResult).toHaveLength(1)
    const [call] = coordinator.calls.submitResult
    expect(call?.body.output).toEqual({ tokenIds: [100, 101, 102, 103, 104], finishReason: 'length' })
    expect(call?.body.result).toMatchObject({
      outputHash: toOutputHash({ tokenIds: [100, 101, 102, 103, 104], finishReason: 'length' }),
      units: 5n,
      finishReason: 2,
    })
    const receipt = {
      assignment: task.assignment,
      assignmentSignature: task.signature,
      result: call?.body.result as never,
      resultSignature: call?.body.signature as never,
    }
    const checks = verifyReceipt(receipt, testDomainSeparator, createSignatureVerifier().recover, {
      coordinator: [coordinatorSigner.address],
      miner: [minerSigner.address],
    })
    expect(checks.map(({ name, ok }) => [name, ok])).toEqual([
      ['coordinator signature', true],
      ['miner signature', true],
      ['result belongs to assignment', true],
      ['price within maximum', true],
    ])
    expect(await rig.store.countResults()).toEqual({ signed: 1, delivered: 1 })
    expect(rig.miner.state().coordinators[0]).toMatchObject({ session: 'open', slots: 2, tasksDone: 1, tasksFailed: 0, earnedWei: 5000n, tasks: [] })
  })

  it('of embeddings pays the input tokens', async () => {
    const coordinator = await createCoordinator()
    const offer = { source: { from: 'bundled' as const }, dtype: 'fp32' as const, device: 'cpu' as const }
    const rig = await createMiner([toRecord(coordinator)], { config: { models: [{ model: 'test/embed', ...offer }] } })
    const manifest = createManifest('test/embed', 'embedding')
    const content = { kind: 'embedding' as const, input: { tokenIds: [[1, 2, 3], [4]] }, params: { normalize: true } }
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'vectors', { content, manifest }))
    expect(await rig.waitForEvent('taskDone')).toMatchObject({ units: 4n })
    expect(coordinator.calls.submitResult[0]?.body.result).toMatchObject({ units: 4n, finishReason: 0 })
  })

  it('runs beside others up to the number of slots, and no further', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    let running = 0
    let most = 0
    rig.engine.script = async () => {
      most = Math.max(most, ++running)
      await delay(60)
      running--
      return { tokenIds: [1], finishReason: 'stop' }
    }
    for (const name of ['a', 'b', 'c', 'd']) coordinator.queue(createTestTask(coordinatorParty, minerNode, name))
    await coordinator.waitForCalls('submitResult', 4)
    expect(most).toBe(2)
    expect(coordinator.calls.pollTask.map(({ body }) => body.free).every((free) => free === 1 || free === 2)).toBe(true)
  })
})

describe('a slot', () => {
  it('is free again before its result has arrived, for one more task and no further', async () => {
    const coordinator = await createCoordinator({ pollMs: 10 })
    const rig = await createMiner([toRecord(coordinator)], { config: { slots: 1 } })
    const release = Promise.withResolvers<void>()
    coordinator.before.submitResult = () => release.promise
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'on its way'))
    await coordinator.waitForCalls('submitResult', 1)
    expect(rig.miner.state().coordinators[0]?.tasks).toMatchObject([{ unitsDone: 5, delivering: true }])
    const polls = coordinator.calls.pollTask.length
    await coordinator.waitForCalls('pollTask', polls + 1)
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'the next'))
    await coordinator.waitForCalls('submitResult', 2)
    const full = coordinator.calls.pollTask.length
    await delay(60)
    expect(coordinator.calls.pollTask).toHaveLength(full)
    release.resolve()
    await coordinator.waitForCalls('pollTask', full + 1)
  })
})

describe('streaming', () => {
  it('sends ids in order, one request at a time, and again after a failure from the same offset', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    rig.engine.script = async ({ onTokens }) => {
      for (let tokenId = 0; tokenId < 40; tokenId++) {
        onTokens([tokenId])
        await delay(3)
      }
      await delay(60)
      return { tokenIds: Array.from({ length: 40 }, (_, index) => index), finishReason: 'stop' }
    }
    let under = 0
    let most = 0
    let calls = 0
    coordinator.before.pushTokens = async () => {
      most = Math.max(most, ++under)
      await delay(8)
      under--
      if (++calls === 2) throw new Error('the coordinator stumbles')
    }
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'stream', { stream: true, maxTokens: 40 }))
    await coordinator.waitForCalls('submitResult', 1)
    expect(most).toBe(1)
    const answered = coordinator.calls.pushTokens.filter((_, index) => index !== 1)
    let offset = 0
    for (const { body } of answered) {
      expect(body.offset).toBe(offset)
      expect(body.tokenIds).toEqual(body.tokenIds.map((_, index) => offset + index))
      offset += body.tokenIds.length
    }
    expect(offset).toBe(40)
    expect(answered.length).toBeGreaterThan(2)
    expect(answered.length).toBeLessThan(20)
  })

  it('does not happen when no app reads along', async () => {
    const coordinator = await createCoordinator()
    await createMiner([toRecord(coordinator)])
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'quiet'))
    await coordinator.waitForCalls('submitResult', 1)
    expect(coordinator.calls.pushTokens).toEqual([])
  })
})

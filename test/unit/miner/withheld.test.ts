import { expect, it } from 'vitest'
import type { TaskContent } from '../../../src/domain/task.ts'
import { modelNotFound } from '../../../src/errors/inference.ts'
import { createTestTask, waitFor } from '../../support/minerCoordinator.ts'
import { createManifest } from '../../support/minerFakes.ts'
import { coordinatorParty, createCoordinator, createMiner, endRigsAfterEach, minerNode, toRecord } from '../../support/minerRig.ts'

endRigsAfterEach()

const content: TaskContent = {
  kind: 'completion',
  input: { tokenIds: [1] },
  params: { maxTokens: 5, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' },
}
const [first, second] = ['test/counter', 'test/other'] as const
const toTask = (name: string, model: string) => createTestTask(coordinatorParty, minerNode, name, { content, manifest: createManifest(model) })
const toModels = (...names: string[]) => names.map((model) => ({ model, source: { from: 'bundled' }, dtype: 'fp32', device: 'cpu' }) as const)

it('a model whose files are gone gives its tasks back as this machine’s fault, and is not told to coordinators until it loads again', async () => {
  const coordinator = await createCoordinator()
  const listTold = () => coordinator.calls.openSession.map(({ body }) => body.models.map(({ manifest }) => manifest.model))
  const rig = await createMiner([toRecord(coordinator)], { config: { models: toModels(first, second), modelRetryMs: [50] } })
  await rig.waitForEvent('sessionOpened')
  const gone = modelNotFound({ model: first, where: '/media/of/this/machine', known: '' })
  rig.engine.beforeOpen = (model) => (model === first ? Promise.reject(gone) : Promise.resolve())
  rig.miner.pause({ reason: 'so that models are unloaded' })
  await waitFor(() => rig.engine.openModels === 0, 'both unloaded')
  rig.miner.resume()
  for (const name of ['1', '2', '3']) coordinator.queue(toTask(name, first))
  await coordinator.waitForCalls('failTask', 3)
  for (const { body } of coordinator.calls.failTask) expect(body).toMatchObject({ code: 'CUCKOO_MINER_MODEL_UNUSABLE', fatal: false })
  expect(JSON.stringify(coordinator.calls.failTask)).not.toContain('/media')
  await coordinator.waitForCalls('openSession', 2)
  expect(listTold()).toEqual([[first, second], [second]])
  expect((await rig.waitForEvent('modelWithheld')).reason).toBe(gone.message)
  expect(rig.miner.state().models.map(({ withheld }) => withheld?.reason)).toEqual([gone.message, undefined])
  coordinator.queue(toTask('other', second))
  await coordinator.waitForCalls('submitResult', 1)
  rig.engine.beforeOpen = async () => undefined
  await rig.waitForEvent('modelOffered')
  await coordinator.waitForCalls('openSession', 3)
  expect(listTold()[2]).toEqual([first, second])
  coordinator.queue(toTask('4', first))
  await coordinator.waitForCalls('submitResult', 2)
})

it('the end of a session for another offer waits for the tasks that run, and nothing new is drawn meanwhile', async () => {
  const coordinator = await createCoordinator()
  const rig = await createMiner([toRecord(coordinator)], { config: { models: toModels(first, second), modelRetryMs: [3_600_000] } })
  rig.engine.beforeOpen = (model) => (model === first ? Promise.reject(new Error('gone')) : Promise.resolve())
  rig.miner.pause({ reason: 'so that models are unloaded' })
  await waitFor(() => rig.engine.openModels === 0, 'both unloaded')
  rig.miner.resume()
  const release = Promise.withResolvers<void>()
  rig.engine.script = async () => {
    await release.promise
    return { tokenIds: [1], finishReason: 'stop' }
  }
  coordinator.queue(toTask('long', second))
  await waitFor(() => rig.engine.runs.length === 1, 'the long task in its model')
  for (const name of ['1', '2', '3']) coordinator.queue(toTask(name, first))
  await rig.waitForEvent('modelWithheld')
  coordinator.queue(toTask('later', second))
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect([coordinator.calls.closeSession.length, rig.engine.runs.length]).toEqual([0, 1])
  release.resolve()
  await coordinator.waitForCalls('submitResult', 2)
  expect(coordinator.calls.openSession).toHaveLength(2)
})

it('a miner that has nothing to offer keeps no session, and comes back with a model', async () => {
  const coordinator = await createCoordinator()
  const rig = await createMiner([toRecord(coordinator)], { config: { modelRetryMs: [50] } })
  rig.engine.beforeOpen = () => Promise.reject(new Error('gone'))
  rig.miner.pause({ reason: 'so that models are unloaded' })
  await waitFor(() => rig.engine.openModels === 0, 'unloaded')
  rig.miner.resume()
  for (const name of ['1', '2', '3']) coordinator.queue(toTask(name, first))
  await rig.waitForEvent('sessionClosed')
  await waitFor(() => rig.miner.state().coordinators[0]?.session === 'standby', 'nothing is asked for')
  rig.engine.beforeOpen = async () => undefined
  coordinator.queue(toTask('4', first))
  await coordinator.waitForCalls('submitResult', 1)
  expect(coordinator.calls.openSession.map(({ body }) => body.models.length)).toEqual([1, 1])
})

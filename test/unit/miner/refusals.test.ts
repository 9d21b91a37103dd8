import { describe, expect, it } from 'vitest'
import { toInputHash } from '../../../src/domain/task.ts'
import { inferenceFailed, inferenceOutOfMemory, modelNotFound } from '../../../src/errors/inference.ts'
import { minerModelUnusable } from '../../../src/errors/miner.ts'
import { createTestTask, waitFor } from '../../support/minerCoordinator.ts'
import { createManifest } from '../../support/minerFakes.ts'
import { coordinatorParty, createCoordinator, createMiner, createTestSigner, endRigsAfterEach, minerNode, toRecord } from '../../support/minerRig.ts'

endRigsAfterEach()

const now = () => BigInt(Math.floor(Date.now() / 1000))
const otherInput = { tokenIds: [9, 9, 9] }
const embeddings = { kind: 'embedding' as const, input: { tokenIds: [[1]] }, params: { normalize: true } }
const longPrompt = {
  kind: 'completion' as const,
  input: { tokenIds: Array.from({ length: 300 }, () => 1) },
  params: { maxTokens: 5, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' },
}
const strangers = { node: coordinatorParty.node, signer: createTestSigner(66) }
type More = NonNullable<Parameters<typeof createTestTask>[3]>
interface Refusal {
  code: string
  fatal: boolean
  make: () => [typeof coordinatorParty, More]
}

/** Each violation, the code the coordinator is told, and whether any miner could do better. */
const refusals: Record<string, Refusal> = {
  'signed by a stranger': { code: 'CUCKOO_MINER_ASSIGNMENT_FOREIGN', fatal: false, make: () => [strangers, {}] },
  'changed after it was signed': {
    code: 'CUCKOO_MINER_ASSIGNMENT_FOREIGN',
    fatal: false,
    make: () => [coordinatorParty, { forge: { maxPriceWei: 9n ** 9n } }],
  },
  'for another miner': {
    code: 'CUCKOO_MINER_ASSIGNMENT_MISDIRECTED',
    fatal: false,
    make: () => [coordinatorParty, { change: { miner: coordinatorParty.node } }],
  },
  'by another coordinator': {
    code: 'CUCKOO_MINER_ASSIGNMENT_MISDIRECTED',
    fatal: false,
    make: () => [coordinatorParty, { change: { coordinator: minerNode } }],
  },
  'with another input than was signed': {
    code: 'CUCKOO_MINER_ASSIGNMENT_HASH_MISMATCH',
    fatal: false,
    make: () => [coordinatorParty, { change: { inputHash: toInputHash(otherInput) } }],
  },
  'with other params than were signed': {
    code: 'CUCKOO_MINER_ASSIGNMENT_HASH_MISMATCH',
    fatal: false,
    make: () => [coordinatorParty, { change: { paramsHash: toInputHash(otherInput) } }],
  },
  'for a model that is not loaded': {
    code: 'CUCKOO_MINER_ASSIGNMENT_MODEL_UNKNOWN',
    fatal: false,
    make: () => [coordinatorParty, { manifest: createManifest('test/other') }],
  },
  'under another name than its model has': {
    code: 'CUCKOO_MINER_ASSIGNMENT_MISDIRECTED',
    fatal: false,
    make: () => [coordinatorParty, { model: 'somebody/else' }],
  },
  'issued 61 s ago': {
    code: 'CUCKOO_MINER_ASSIGNMENT_STALE',
    fatal: false,
    make: () => [coordinatorParty, { change: { issuedAt: now() - 62n, deadline: now() + 60n } }],
  },
  'issued in 62 s': { code: 'CUCKOO_MINER_ASSIGNMENT_STALE', fatal: false, make: () => [coordinatorParty, { change: { issuedAt: now() + 62n } }] },
  'past its deadline': { code: 'CUCKOO_MINER_ASSIGNMENT_DEADLINE', fatal: false, make: () => [coordinatorParty, { change: { deadline: now() - 1n } }] },
  'with a deadline after more than a day': {
    code: 'CUCKOO_MINER_ASSIGNMENT_DEADLINE',
    fatal: false,
    make: () => [coordinatorParty, { change: { issuedAt: now(), deadline: now() + 86_401n } }],
  },
  'below the minimum price': { code: 'CUCKOO_MINER_ASSIGNMENT_UNDERPRICED', fatal: false, make: () => [coordinatorParty, { change: { unitPriceWei: 9n } }] },
  'with a highest price that does not cover it': {
    code: 'CUCKOO_MINER_ASSIGNMENT_UNDERFUNDED',
    fatal: false,
    make: () => [coordinatorParty, { change: { maxPriceWei: 4999n } }],
  },
  'of a kind that the model does not do': {
    code: 'CUCKOO_MINER_ASSIGNMENT_KIND_MISMATCH',
    fatal: true,
    make: () => [coordinatorParty, { content: embeddings }],
  },
  'with a prompt beyond the context': { code: 'CUCKOO_MINER_ASSIGNMENT_OVER_LIMITS', fatal: true, make: () => [coordinatorParty, { content: longPrompt }] },
  'asking for more output than the model gives': {
    code: 'CUCKOO_MINER_ASSIGNMENT_OVER_LIMITS',
    fatal: true,
    make: () => [coordinatorParty, { maxTokens: 129 }],
  },
}

describe('an assignment is given back and never run', () => {
  it.each(Object.entries(refusals))('%s', async (name, { code, fatal, make }) => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)], { config: { minUnitPriceWei: 10n } })
    const [party, more] = make()
    const task = coordinator.queue(createTestTask(party, minerNode, name, more))
    await coordinator.waitForCalls('failTask', 1)
    expect(coordinator.calls.failTask[0]).toMatchObject({ params: { taskId: task.assignment.taskId, attempt: 1 }, body: { code, fatal } })
    expect(rig.engine.runs).toEqual([])
    expect(rig.store.entries.size).toBe(0)
    expect(await rig.waitForEvent('taskFailed')).toMatchObject({ error: { code } })
    coordinator.queue(createTestTask(coordinatorParty, minerNode, `${name}: the next one`))
    await rig.waitForEvent('taskDone')
  })

  it('and a coordinator that sends only such is asked less and less often', async () => {
    const coordinator = await createCoordinator()
    await createMiner([toRecord(coordinator)], { timing: { backoff: { baseMs: 40, maxMs: 400 } } })
    for (let index = 0; index < 50; index++) coordinator.queue(createTestTask(strangers, minerNode, `forged ${index}`))
    await coordinator.waitForCalls('failTask', 4)
    const startedAt = coordinator.calls.failTask[0]?.atMs as number
    expect((coordinator.calls.failTask[3]?.atMs as number) - startedAt).toBeGreaterThan(35)
    expect(coordinator.calls.pollTask.length).toBeLessThan(10)
  })
})

describe('a task that the model cannot do', () => {
  it('is the request’s fault when the engine says so', async () => {
    const { assignmentOverLimits } = await import('../../../src/errors/miner.ts')
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    rig.engine.script = async () => {
      throw assignmentOverLimits({ limit: 'token ids of a vocabulary', found: 99_999, maximum: 500 })
    }
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'bad token'))
    await coordinator.waitForCalls('failTask', 1)
    expect(coordinator.calls.failTask[0]?.body).toEqual({
      code: 'CUCKOO_MINER_ASSIGNMENT_OVER_LIMITS',
      message: 'The task asks for 99999 token ids of a vocabulary, the model takes at most 500.',
      fatal: true,
    })
  })

  it('is asked for less and less often by a miner that fails each', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)], { config: { slots: 1 }, timing: { backoff: { baseMs: 40, maxMs: 400 } } })
    rig.engine.script = () => Promise.reject(new Error('the graphics card fell out'))
    for (let index = 0; index < 50; index++) coordinator.queue(createTestTask(coordinatorParty, minerNode, `black hole ${index}`))
    await coordinator.waitForCalls('failTask', 4)
    expect((coordinator.calls.failTask[3]?.atMs as number) - (coordinator.calls.failTask[0]?.atMs as number)).toBeGreaterThan(60)
  })

  it.each([
    ['does not load', minerModelUnusable({ model: 'test/counter', reason: 'ENOENT /home/somebody/models/model.onnx' })],
    ['does not fit the device', inferenceOutOfMemory({ model: 'test/counter', device: 'cuda', reason: 'cudaMalloc in /home/somebody/runtime.so' })],
    ['is gone from its folder', modelNotFound({ model: 'test/counter', where: '/home/somebody/models', known: '' })],
    ['gives rubbish', inferenceFailed({ model: 'test/counter', reason: 'Non-zero status code in /home/somebody/node.cc' })],
  ])('because the model %s is this machine’s fault: only the code leaves, and other miners may try', async (_, error) => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    rig.engine.script = () => Promise.reject(error)
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'ours'))
    await coordinator.waitForCalls('failTask', 1)
    expect(coordinator.calls.failTask[0]?.body).toEqual({ code: error.code, message: `The miner could not do the task (${error.code}).`, fatal: false })
    expect(await rig.waitForEvent('taskFailed')).toMatchObject({ error: { message: error.message } })
  })

  it('is ours otherwise, and the coordinator learns no detail', async () => {
    const coordinator = await createCoordinator()
    const rig = await createMiner([toRecord(coordinator)])
    rig.engine.script = async () => {
      throw new TypeError('cannot read /home/somebody/secret')
    }
    coordinator.queue(createTestTask(coordinatorParty, minerNode, 'crash'))
    await coordinator.waitForCalls('failTask', 1)
    expect(coordinator.calls.failTask[0]?.body).toEqual({
      code: 'CUCKOO_INTERNAL',
      message: 'The miner could not do the task (CUCKOO_INTERNAL).',
      fatal: false,
    })
    await waitFor(() => rig.miner.state().coordinators[0]?.tasksFailed === 1, 'the failure to be counted')
  })
})

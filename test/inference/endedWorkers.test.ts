import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { afterEach, expect, it } from 'vitest'
import type { Hash } from '../../src/domain/hex.ts'
import type { TaskContent } from '../../src/domain/task.ts'
import { isError } from '../../src/errors/cuckooError.ts'
import { taskCrashed } from '../../src/errors/miner.ts'
import { createEngine } from '../../src/inference/createEngine.ts'
import { ModelShelf } from '../../src/miner/modelShelf.ts'
import { runModel } from '../../src/miner/runModel.ts'
import { toMaskedModelFiles } from '../support/embeddingGraphs.ts'
import { toTestHash } from '../support/minerFakes.ts'
import { writeModelFiles } from '../support/onnx.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** A shelf with one model in a real worker, and tasks for it: `run` tells how each ended, `log` what was written of them. `kill` ends the worker. */
async function createRig(graph: 'masked' | 'quantising', onKiller = () => {}) {
  const directory = mkdtempSync(join(tmpdir(), 'cuckoo-ended-'))
  cleanUps.push(() => rmSync(directory, { recursive: true, force: true }))
  writeModelFiles(join(directory, `test/${graph}`), toMaskedModelFiles(graph))
  const workers: Worker[] = []
  const onWorker = (worker: Worker) => void workers.push(worker)
  process.on('worker', onWorker)
  cleanUps.push(() => process.off('worker', onWorker))
  const engine = createEngine({ modelsDirectory: join(directory, 'hub'), offline: true })
  const shelf = new ModelShelf({ engine, memoryBytes: null, slotsByDevice: {}, pinned: [] })
  cleanUps.push(() => engine.dispose())
  cleanUps.push(() => shelf.dispose())
  const { manifestDigest } = await shelf.add({ model: `test/${graph}`, source: { from: 'folder', directory }, dtype: 'fp32', device: 'cpu' })
  const names = new Map<Hash, string>()
  const log: string[] = []
  // No message of the protocol, and not before a run was handed over: the worker throws outside of any call.
  const kill = () => workers.at(-1)?.postMessage(null)
  const crashes = {
    begin: async ({ assignmentDigest }: { assignmentDigest: Hash }) => {
      const name = names.get(assignmentDigest) ?? ''
      log.push(`${name} begins`)
      if (name !== 'killer') return
      onKiller()
      kill()
    },
    end: async (digest: Hash) => void log.push(`${names.get(digest)} ends`),
    addCrash: async (digest: Hash) => void log.push(`${names.get(digest)} crashed`),
  }
  const run = (name: string, signal = new AbortController().signal) => {
    const digest = toTestHash(name)
    names.set(digest, name)
    const content: TaskContent = { kind: 'embedding', input: { tokenIds: [[1]] }, params: { normalize: true } }
    const about = { assignmentDigest: digest, taskId: digest, attempt: 1, coordinator: `0x${'11'.repeat(20)}`, model: 'a/b', inputHash: digest } as const
    return runModel(
      { shelf, crashes },
      { ...about, manifest: manifestDigest, content, media: null, seed: 1n },
      { signal, onTokens: () => {}, onUnits: () => {}, onFile: () => {} },
    ).then(
      () => 'done',
      (error: unknown) => (isError(error, taskCrashed) ? 'crashed' : error),
    )
  }
  return { run, log, kill, workers }
}

it('a task that ends its worker is blamed alone: those behind it were not marked, and run in the model opened again', async () => {
  const gone = new AbortController()
  const { run, log, workers } = await createRig('quantising', () => gone.abort('not wanted'))
  expect(await Promise.all([run('killer'), run('second'), run('cancelled', gone.signal), run('third')])).toEqual(['crashed', 'done', 'not wanted', 'done'])
  expect(log).toEqual(['killer begins', 'killer crashed', 'second begins', 'third begins'])
  expect(workers).toHaveLength(2)
})

it('tasks that share a batch are marked together, and share the suspicion', async () => {
  const { run, log } = await createRig('masked')
  expect(await Promise.all([run('one'), run('two')])).toEqual(['done', 'done'])
  expect(log.splice(0)).toEqual(['one begins', 'two begins'])
  expect(await Promise.all([run('three'), run('killer')])).toEqual(['crashed', 'crashed'])
  expect(log).toEqual(['three begins', 'killer begins', 'three crashed', 'killer crashed'])
})

it('a worker that ends between two tasks is neither’s fault', async () => {
  const { run, log, kill, workers } = await createRig('quantising')
  const ended = new Promise((resolve) => workers[0]?.once('exit', resolve))
  kill()
  await ended
  expect(await run('next')).toBe('done')
  expect(log).toEqual(['next begins'])
})

it('a task that was cancelled, and then ends the worker that still has it, is blamed all the same', async () => {
  const gone = new AbortController()
  const { run, log } = await createRig('quantising', () => setImmediate(() => gone.abort('not wanted')))
  expect(await run('killer', gone.signal)).toBe('not wanted')
  await expect.poll(() => log).toEqual(['killer begins', 'killer crashed'])
  expect(await run('next')).toBe('done')
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine, OpenModel } from '../../src/domain/enginePort.ts'
import type { Dtype } from '../../src/domain/manifest.ts'
import { createEngine } from '../../src/inference/createEngine.ts'
import { testDevice, vectorTolerance } from '../support/devices.ts'
import { toMaskedModelFiles } from '../support/embeddingGraphs.ts'
import { findTestModel, whyNoTestModel } from '../support/models.ts'
import { writeModelFiles } from '../support/onnx.ts'

let engine: Engine
let directory: string
const obstacles = new Map<unknown, unknown>()
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-batching-'))
  for (const graph of ['masked', 'maskless', 'quantising', 'hungry'] as const) writeModelFiles(join(directory, `test/${graph}`), toMaskedModelFiles(graph))
  const debug = (fields: Record<string, unknown>) => 'batchObstacle' in fields && obstacles.set(fields.model, fields.batchObstacle)
  engine = createEngine({ modelsDirectory: join(directory, 'hub'), offline: true, logger: { debug, info: () => {}, warn: () => {} } })
})
afterAll(async () => {
  await engine.dispose()
  rmSync(directory, { recursive: true, force: true })
})

const open = (model: string, dtype: Dtype = 'fp32', source: Parameters<Engine['openModel']>[0]['source'] = { from: 'folder', directory }) =>
  engine.openModel({ model, source, dtype, device: testDevice })
const embed = (model: OpenModel, tokenIds: number[][], signal?: AbortSignal) =>
  model.embed({ tokenIds }, { normalize: true }, signal === undefined ? {} : { signal })
const toVectors = ({ output }: Awaited<ReturnType<OpenModel['embed']>>) =>
  output.embeddings.map((base64) => {
    const bytes = Buffer.from(base64, 'base64')
    return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))
  })
const measureDistance = (a: number[][], b: number[][]) =>
  Math.max(...a.flatMap((vector, row) => vector.map((value, at) => Math.abs(value - (b[row]?.[at] ?? Number.NaN)))))

/** Sixteen calls of one to three texts of four to nineteen tokens. */
const toCalls = (vocabulary: number) =>
  Array.from({ length: 16 }, (_, call) =>
    Array.from({ length: 1 + (call % 3) }, (_, text) =>
      Array.from({ length: 4 + ((call * 5 + text) % 16) }, (_, at) => (call * 31 + text * 17 + at * 7) % vocabulary),
    ),
  )

describe('embedding calls that wait', () => {
  it('share a run, and every vector is what it is alone', async (context) => {
    const found = findTestModel('karpathy/stories260K-embed')
    if (found === null) return context.skip(`skipped: ${whyNoTestModel}`)
    const model = await open(found.model, 'fp32', found.source)
    expect(obstacles.get(found.model)).toBeNull()
    const calls = toCalls(500)
    const alone: number[][][] = []
    for (const tokenIds of calls) alone.push((await Promise.all(tokenIds.map(async (ids) => toVectors(await embed(model, [ids]))))).flat())
    const results = await Promise.all(calls.map((tokenIds) => embed(model, tokenIds)))
    // They were asked for in one go, and all took the time of one run.
    expect(new Set(results.map(({ totalMs }) => totalMs)).size).toBe(1)
    for (const [index, result] of results.entries()) expect(measureDistance(toVectors(result), alone[index] as number[][])).toBeLessThanOrEqual(vectorTolerance)
    await model.dispose()
  })

  it('heed the mask and the pooling', async () => {
    const model = await open('test/masked')
    expect(obstacles.get('test/masked')).toBeNull()
    const calls = toCalls(4).map((texts) => texts.map((ids) => ids.slice(0, 12)))
    const alone: number[][][] = []
    for (const tokenIds of calls) alone.push((await Promise.all(tokenIds.map(async (ids) => toVectors(await embed(model, [ids]))))).flat())
    const results = await Promise.all(calls.map((tokenIds) => embed(model, tokenIds)))
    for (const [index, result] of results.entries()) expect(measureDistance(toVectors(result), alone[index] as number[][])).toBeLessThanOrEqual(vectorTolerance)
    await model.dispose()
  })

  it('fail alone: the others of the batch get their vectors', async () => {
    const model = await open('test/masked')
    const calls = [[[1]], [[2, 3]], [[1], [99]], [[]], [[3]], []]
    const results = await Promise.allSettled(calls.map((tokenIds) => embed(model, tokenIds)))
    expect(results.map((result) => (result.status === 'fulfilled' ? 'done' : (result.reason as { code: string }).code))).toEqual([
      'done',
      'done',
      'CUCKOO_INFERENCE_TOKEN_UNKNOWN',
      'CUCKOO_INFERENCE_INPUT_INVALID',
      'done',
      'CUCKOO_INFERENCE_INPUT_INVALID',
    ])
    await model.dispose()
  })

  it('are cancelled alone, before and in their run', async () => {
    const model = await open('test/masked')
    const controllers = [1, 2, 3, 4].map(() => new AbortController())
    const calls = controllers.map(({ signal }, index) => embed(model, [[index], [1, 2, 3]], signal))
    controllers[1]?.abort(new Error('not wanted'))
    const settled = Promise.allSettled(calls)
    // The batch goes to the worker in microtasks, and its answer takes a turn of the event loop.
    for (let turn = 0; turn < 50; turn++) await null
    controllers[3]?.abort(new Error('too late'))
    const results = await settled
    expect(results.map(({ status }) => status).slice(0, 3)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((results[1] as PromiseRejectedResult).reason).toEqual(new Error('not wanted'))
    expect(results[3]).toMatchObject({ status: 'rejected', reason: { message: 'too late' } })
    expect(toVectors(await embed(model, [[2], [1, 2, 3]]))).toEqual(
      toVectors((results[2] as PromiseFulfilledResult<Awaited<ReturnType<OpenModel['embed']>>>).value),
    )
    await model.dispose()
  })

  it('are refused with a code when the model goes', async () => {
    const model = await open('test/masked')
    const calls = Promise.allSettled(Array.from({ length: 8 }, () => embed(model, [[1]])))
    await model.dispose()
    for (const result of await calls) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'CUCKOO_INFERENCE_DISPOSED' })
    await expect(embed(model, [[1]])).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_INFERENCE_DISPOSED' }))
  })

  it.for([
    ['whose graph takes scales over the whole call', 'test/quantising', /DynamicQuantizeLinear/],
    ['whose graph does not heed its mask', 'test/maskless', /neighbours/],
  ] as const)('stay alone with a model %s', async ([, name, obstacle]) => {
    const model = await open(name)
    expect(obstacles.get(name)).toMatch(obstacle)
    const calls = toCalls(4).map((texts) => texts.map((ids) => ids.slice(0, 12)))
    const alone: number[][][] = []
    for (const tokenIds of calls) alone.push(toVectors(await embed(model, tokenIds)))
    expect((await Promise.all(calls.map((tokenIds) => embed(model, tokenIds)))).map(toVectors)).toEqual(alone)
    await model.dispose()
  })

  it('stay alone in q8, and are the same to the bit', async (context) => {
    const found = findTestModel('karpathy/stories260K-embed')
    if (found === null) return context.skip(`skipped: ${whyNoTestModel}`)
    const model = await open(found.model, 'q8', found.source)
    expect(obstacles.get(found.model)).toMatch(/q8/)
    const calls = toCalls(500)
    const alone: number[][][] = []
    for (const tokenIds of calls) alone.push(toVectors(await embed(model, tokenIds)))
    expect((await Promise.all(calls.map((tokenIds) => embed(model, tokenIds)))).map(toVectors)).toEqual(alone)
    await model.dispose()
  })
})

describe('a model that runs out of memory', () => {
  it('is unloaded with a coded error; the rest of its batch and the next model are unharmed', async () => {
    const model = await open('test/hungry')
    expect(obstacles.get('test/hungry')).toBeNull()
    const results = await Promise.allSettled([embed(model, [[2]]), embed(model, [[2, 3]]), embed(model, [[2], [1, 1]]), embed(model, [[3]])])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    const outOfMemory = expect.objectContaining({
      code: 'CUCKOO_INFERENCE_OUT_OF_MEMORY',
      kind: 'unavailable',
      facts: { model: 'test/hungry', device: testDevice, reason: expect.stringContaining('70368744177664') },
      hint: expect.stringContaining('--dtype q8'),
    })
    expect((results[2] as PromiseRejectedResult).reason).toEqual(outOfMemory)
    await expect(embed(model, [[1]])).rejects.toEqual(outOfMemory)
    const next = await open('test/hungry')
    // Together they ask for too much, each alone does not.
    expect((await Promise.all([embed(next, [[1, 2]]), embed(next, [[1]])])).map((result) => toVectors(result).length)).toEqual([1, 1])
    expect(toVectors(await embed(next, [[1]]))).toHaveLength(1)
    await next.dispose()
  })
})

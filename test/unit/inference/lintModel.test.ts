import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ModelKind } from '../../../src/domain/taskKinds.ts'
import { lintModel } from '../../../src/inference/lintModel.ts'
import { type OnnxGraph, readOnnxGraph } from '../../../src/inference/onnxGraph.ts'
import { createGraph, createTableGraph, type GraphParts, table, tableColumns } from '../../support/onnx.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cuckoo-lint-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const read = (content: Buffer) => {
  writeFileSync(join(folder, 'model.onnx'), content)
  return readOnnxGraph(join(folder, 'model.onnx'), { model: 'a/b', file: 'onnx/model.onnx' })
}
const lintBytes = async (content: Buffer, kind: ModelKind = 'text') => lintModel(kind, new Map([['onnx/model.onnx', await read(content)]]))
const lint = (parts: Partial<GraphParts>, kind?: ModelKind) =>
  lintBytes(createGraph({ inputs: { x: ['float', [1]] }, outputs: { y: ['float', [1]] }, nodes: [], ...parts }), kind)
const problems = async (parts: Partial<GraphParts>, kind?: ModelKind) =>
  (await lint(parts, kind)).map(({ severity, rule, problem }) => `${severity} ${rule}: ${problem}`)
const bodyOf = (nodes: GraphParts['nodes'], tensors: NonNullable<GraphParts['tensors']> = {}): { graph: GraphParts } => ({
  graph: { inputs: { i: ['int64', []], c: ['bool', []] }, outputs: { cond: ['bool', []] }, nodes, tensors },
})

describe('lintModel', () => {
  it('finds nothing in plain graphs, nor in com.microsoft, ai.onnx spelled out, and functions of the file', async () => {
    expect(await lintBytes(createTableGraph({ table, columns: tableColumns, output: 'logits' }))).toEqual([])
    expect(
      await lint({
        nodes: [
          ['ai.onnx::Relu', ['x'], ['a']],
          ['com.microsoft::Gelu', ['a'], ['b']],
          ['pkg.torch::half', ['b'], ['y']],
        ],
        functions: { 'pkg.torch::half': { inputs: ['v'], outputs: ['w'], nodes: [['Abs', ['v'], ['w']]] } },
      }),
    ).toEqual([])
  })

  it.each(['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Multinomial', 'Bernoulli', 'com.microsoft::Sampling'])(
    'refuses %s, by name',
    async (type) => {
      const plain = type.split('::').at(-1)
      expect(await problems({ nodes: [[type, ['x'], ['y']]] })).toEqual([`error random: ${plain} (y) draws random numbers, so no second run gives the same`])
    },
  )

  it('only warns of random operators where results are never screened: speech', async () => {
    expect(await lint({ nodes: [['RandomNormalLike', ['x'], ['y']]] }, 'speech')).toMatchObject([
      { severity: 'warning', rule: 'random', file: 'onnx/model.onnx' },
    ])
  })

  it('looks into branches, loops and functions', async () => {
    const random: GraphParts['nodes'] = [['RandomUniform', [], ['cond']]]
    expect(await problems({ nodes: [['If', ['x'], ['y'], { then_branch: bodyOf([['Abs', ['x'], ['cond']]]), else_branch: bodyOf(random) }]] })).toHaveLength(1)
    expect(await problems({ nodes: [['Scan', ['x'], ['y'], { body: bodyOf([['If', ['c'], ['cond'], { then_branch: bodyOf(random) }]]) }]] })).toHaveLength(1)
    const functions = { 'own::f': { inputs: ['v'], outputs: ['w'], nodes: [['Bernoulli', ['v'], ['w']]] as GraphParts['nodes'] } }
    expect(await problems({ nodes: [['own::f', ['x'], ['y']]], functions })).toEqual([expect.stringContaining('Bernoulli (w)')])
  })

  it('is not deceived by a function with the name of a random operator', async () => {
    const functions = { 'com.microsoft::Sampling': { inputs: ['v'], outputs: ['w'], nodes: [['Abs', ['v'], ['w']]] as GraphParts['nodes'] } }
    expect(await problems({ nodes: [['com.microsoft::Sampling', ['x'], ['y']]], functions })).toHaveLength(1)
  })

  it('takes Dropout, unless it may train', async () => {
    const dropout = (mode: string[], tensors: GraphParts['tensors'] = {}) => problems({ nodes: [['Dropout', ['x', '', ...mode], ['y']]], tensors })
    expect(await dropout([])).toEqual([])
    expect(await dropout(['off'], { off: { dimensions: [], bools: [false] } })).toEqual([])
    expect(await dropout(['on'], { on: { dimensions: [], bools: [true] } })).toEqual(['error random: Dropout y may run in training mode'])
    expect(await dropout(['x'])).toHaveLength(1)
  })

  it.each<{ rounds: string; inputs: string[]; tensors: NonNullable<GraphParts['tensors']>; expected: unknown[] }>([
    { rounds: 'a constant', inputs: ['n', ''], tensors: { n: { dimensions: [], int64s: [12] } }, expected: [] },
    { rounds: 'none', inputs: ['', ''], tensors: {}, expected: ['error loop: Loop y has no fixed number of rounds'] },
    { rounds: 'an input', inputs: ['x', ''], tensors: {}, expected: ['error loop: Loop y has no fixed number of rounds'] },
    {
      rounds: 'too many',
      inputs: ['n', ''],
      tensors: { n: { dimensions: [], int64s: [2 ** 40] } },
      expected: [expect.stringContaining('runs 1099511627776 rounds')],
    },
    { rounds: 'two numbers', inputs: ['n', ''], tensors: { n: { dimensions: [2], int64s: [1, 2] } }, expected: [expect.stringContaining('no fixed')] },
  ])('a Loop with $rounds', async ({ inputs, tensors, expected }) => {
    expect(await problems({ nodes: [['Loop', inputs, ['y'], { body: bodyOf([['Identity', ['c'], ['cond']]]) }]], tensors })).toEqual(expected)
  })

  it('reads the rounds of a Loop from a Constant, and not where two values have the name', async () => {
    const loop: GraphParts['nodes'][number] = ['Loop', ['n', ''], ['y'], { body: bodyOf([['Identity', ['c'], ['cond']]]) }]
    expect(await problems({ nodes: [['Constant', [], ['n'], { value_int: 3 }], loop] })).toEqual([])
    expect(await problems({ nodes: [['Size', ['x'], ['n']], ['Constant', [], ['n'], { value_int: 3 }], loop] })).toHaveLength(1)
  })

  it('refuses domains that the runtime does not have, and what loads compiled code', async () => {
    expect(await problems({ nodes: [['evil.example::Run', ['x'], ['y']]] })).toEqual(['error domain: the runtime does not have Run (y) of evil.example'])
    expect(await problems({ nodes: [['com.microsoft::EPContext', ['x'], ['y']]] })).toEqual(['error domain: EPContext (y) loads compiled code'])
    expect((await problems({ nodes: [['evil\n[2Jdomain::x', ['x'], ['y']]] }))[0]).toMatch(/^[\x20-\x7e]*$/)
  })

  it('refuses weights at an address in memory', async () => {
    const graph = createTableGraph({ table, columns: tableColumns, output: 'logits', externalData: '*/_ORT_MEM_ADDR_/*' })
    expect(await lintBytes(graph)).toMatchObject([{ severity: 'error', rule: 'external' }])
  })

  it('refuses functions in a circle, and those that multiply into too many nodes', async () => {
    const calls = (name: string, times: number): GraphParts['nodes'] => Array.from({ length: times }, (_, index) => [`own::${name}`, ['v'], [`w${index}`]])
    const circle = { 'own::f': { inputs: ['v'], outputs: ['w0'], nodes: calls('g', 1) }, 'own::g': { inputs: ['v'], outputs: ['w0'], nodes: calls('f', 1) } }
    expect(await problems({ nodes: [['own::f', ['x'], ['y']]], functions: circle })).toEqual(['error size: its functions call each other in a circle'])
    const bomb = Object.fromEntries(
      Array.from({ length: 9 }, (_, level) => [
        `own::f${level}`,
        { inputs: ['v'], outputs: ['w0'], nodes: level === 8 ? [['Abs', ['v'], ['w0']] as GraphParts['nodes'][number]] : calls(`f${level + 1}`, 10) },
      ]),
    )
    expect(await problems({ nodes: [['own::f0', ['x'], ['y']]], functions: bomb })).toEqual(['error size: it has 100000000 nodes, at most 500000 are taken'])
  })

  it('refuses subgraphs that lie too deep', async () => {
    const nested = (depth: number): GraphParts['nodes'] =>
      depth === 0 ? [['Abs', ['x'], ['cond']]] : [['If', ['c'], ['cond'], { then_branch: bodyOf(nested(depth - 1)) }]]
    expect(await problems({ nodes: nested(12) })).toEqual([])
    expect(await problems({ nodes: nested(13) })).toEqual(['error size: subgraphs lie 13 deep, at most 12 are taken'])
  })

  it('counts each operator once, with how many there are', async () => {
    const graph: OnnxGraph = await read(
      createGraph({
        inputs: {},
        outputs: { y: ['float', [1]] },
        nodes: [
          ['Abs', ['x'], ['a']],
          ['Abs', ['a'], ['y']],
        ],
      }),
    )
    expect(graph.operators).toEqual([{ domain: '', type: 'Abs', count: 2, node: 'a', within: null }])
  })
})

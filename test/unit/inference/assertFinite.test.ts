import { describe, expect, it } from 'vitest'
import { assertFinite } from '../../../src/inference/assertFinite.ts'

const facts = { model: 'test/model', part: 'logits', dtype: 'fp16', device: 'webgpu' }
const check = (reading: 'values' | 'scores', dims: number[], numbers: number[]) => () =>
  assertFinite({ data: Float32Array.from(numbers), dims }, reading, facts)
const refused = expect.objectContaining({ code: 'CUCKOO_INFERENCE_NOT_FINITE', facts })

describe('numbers of an output', () => {
  it.each([
    ['values', [2, 2], [0, -0, 3.4e38, -3.4e38]],
    ['scores', [2, 2], [0, -0, 3.4e38, -3.4e38]],
    ['values', [1, 0], []],
    ['scores', [1, 0], []],
    ['values', [], [1]],
    ['scores', [2, 3], [-Infinity, 0, 1, 2, -Infinity, -Infinity]],
    ['scores', [], [1]],
  ] as const)('are finite: %s %j %j', (reading, dims, numbers) => {
    expect(check(reading, [...dims], [...numbers])).not.toThrow()
  })

  it.each(
    [0, 1, 2, 3, 4, 5].flatMap((at) => [
      ['values', at, Number.NaN] as const,
      ['values', at, Infinity] as const,
      ['values', at, -Infinity] as const,
      ['scores', at, Number.NaN] as const,
      ['scores', at, Infinity] as const,
    ]),
  )('are not finite: of six %s, number %i is %d', (reading, at, number) => {
    expect(check(reading, [2, 3], new Array<number>(6).fill(1).with(at, number))).toThrow(refused)
  })

  it('are not finite: NaN among scores that are ruled out, and a row without any other', () => {
    expect(check('scores', [1, 3], [-Infinity, Number.NaN, 1])).toThrow(refused)
    expect(check('scores', [2, 2], [-Infinity, 1, -Infinity, -Infinity])).toThrow(refused)
    expect(check('scores', [], [-Infinity])).toThrow(refused)
  })
})

it.each([
  ['fp16', 'webgpu', 'Its numbers overflow there: run it with --dtype fp32.'],
  ['fp16', 'cpu', 'Its numbers overflow there: run it with --dtype fp32.'],
  ['fp32', 'cuda', 'Run it with --device cpu.'],
  ['fp32', 'cpu', '`cuckoo models verify` shows whether its files are whole.'],
])('of a model in %s on %s the error says: %s', (dtype, device, hint) => {
  expect(() => assertFinite({ data: [Number.NaN], dims: [1] }, 'values', { ...facts, dtype, device })).toThrow(
    expect.objectContaining({ message: `'test/model' gave numbers that are not finite in ${dtype} on ${device}, in its logits.`, hint }),
  )
})

import { outputNotFinite } from '../errors/inference.ts'

/**
 * What a result takes of an output: `values` go into it themselves; of `scores` it takes what is largest in a row, and a score of
 * −Infinity is what a model gives to what it rules out.
 */
export type Reading = 'values' | 'scores'

/** Numbers in row-major order. */
export interface NumberTensor {
  data: ArrayLike<number>
  dims: readonly number[]
}

/**
 * Asserts that a result can be made of an output: that values are finite; that no score is NaN and every row has a largest one that is
 * finite. Of other numbers the libraries make a black image, silence or the first token without a word. 0.3 ns each.
 * @throws CUCKOO_INFERENCE_NOT_FINITE
 */
export function assertFinite(output: NumberTensor, reading: Reading, facts: Parameters<typeof outputNotFinite>[0]): void {
  if (isFiniteThroughout(output) || (reading === 'scores' && hasLargestInRows(output))) return
  throw outputNotFinite(facts)
}

/** A finite number times 0 is 0, any other is NaN. Four sums, which wait less for one another, are three times as fast as one. */
function isFiniteThroughout({ data }: NumberTensor): boolean {
  const whole = data.length - (data.length % 4)
  let [first, second, third, fourth] = [0, 0, 0, 0]
  for (let index = 0; index < whole; index += 4) {
    first += (data[index] as number) * 0
    second += (data[index + 1] as number) * 0
    third += (data[index + 2] as number) * 0
    fourth += (data[index + 3] as number) * 0
  }
  for (let index = whole; index < data.length; index++) first += (data[index] as number) * 0
  return first + second + third + fourth === 0
}

function hasLargestInRows({ data, dims }: NumberTensor): boolean {
  const columns = dims.at(-1) ?? 1
  for (let start = 0; start < data.length; start += columns) {
    let largest = -Infinity
    for (let index = start; index < start + columns; index++) {
      const score = data[index] as number
      if (score > largest) largest = score
      else if (Number.isNaN(score)) return false
    }
    if (Math.abs(largest) === Infinity) return false
  }
  return true
}

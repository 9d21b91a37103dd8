import type { ModelSuggestion } from '../domain/engineTools.ts'
import type { Dtype } from '../domain/manifest.ts'

/** Bytes of one weight. q4 formats keep embeddings in full or half: 0.7 and 0.6 are what models of about a billion parameters come to. */
const weightBytes: Readonly<Record<Dtype, number>> = { fp32: 4, fp16: 2, q8: 1, q4: 0.7, q4f16: 0.6 }
/** Weights, once more a half for what the runtime keeps beside them, and the worker itself. */
const memoryFactor = 1.5
const workerBytes = 150e6

/** What is the best to take first: exact weights where they fit, since batches and audits are best with them; halves only where a GPU computes in them. */
const preferences = {
  cpu: ['fp32', 'q8', 'q4'],
  gpu: ['fp32', 'q4', 'q8'],
  halfGpu: ['fp16', 'fp32', 'q4f16', 'q4', 'q8'],
} as const satisfies Record<string, readonly Dtype[]>

/** What computes: `halfGpu` is a GPU with half precision. */
export type Accelerator = keyof typeof preferences

export interface SuggestedModel {
  dtype: Dtype
  /** of the weights, approximate */
  bytes: number
  memoryBytes: number
  fits: boolean
  /** why it does not fit; null: it does */
  problem: 'memory' | 'disk' | null
}

/** The dtype of a model to take on this machine: the first by preference that fits its memory and disk, else the smallest. */
export function suggestDtype(model: ModelSuggestion, machine: { accelerator: Accelerator; memoryBytes: number; diskBytes: number }): SuggestedModel {
  const order = preferences[machine.accelerator].filter((dtype) => model.dtypes.includes(dtype))
  const options = order.map((dtype) => {
    const bytes = model.millionParameters * 1e6 * weightBytes[dtype]
    const memoryBytes = bytes * memoryFactor + workerBytes
    const problem = memoryBytes > machine.memoryBytes ? ('memory' as const) : bytes > machine.diskBytes ? ('disk' as const) : null
    return { dtype, bytes, memoryBytes, problem, fits: problem === null }
  })
  const smallest = [...options].sort((a, b) => a.bytes - b.bytes)[0] as SuggestedModel
  return options.find(({ fits }) => fits) ?? smallest
}

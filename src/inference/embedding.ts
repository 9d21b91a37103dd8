import { AutoModel, mean_pooling, type PreTrainedModel, Tensor } from '@huggingface/transformers'
import type { Manifest } from '../domain/manifest.ts'
import type { EmbeddingInput, EmbeddingOutput } from '../domain/task.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import { contextExceeded, inferenceFailed, inferenceInputInvalid } from '../errors/inference.ts'
import { assertFinite } from './assertFinite.ts'
import type { BatchedResult } from './createBatcher.ts'
import { findBatchObstacle } from './findBatchObstacle.ts'
import { assertTokenIds, loadModel, type ModelToLoad, toReason } from './loadModel.ts'
import { toChunks } from './toChunks.ts'

export interface EmbeddingItem {
  input: EmbeddingInput
  normalize: boolean
}
export interface EmbeddingRun {
  output: EmbeddingOutput
  totalMs: number
}

export interface Embedder {
  /** why calls must not share a run; null: they may, what a vector is does not depend on its neighbours */
  readonly batchObstacle: string | null
  /** The calls' results in their order; null for a cancelled one, and null for all when `isCancelled` says so. An error is its call's own. */
  run(calls: (EmbeddingItem & { isCancelled: () => boolean })[], isCancelled: () => boolean): Promise<BatchedResult<EmbeddingRun>[] | null>
  dispose(): Promise<void>
}

/** One text of a call; its vector is as it goes out. */
interface Row {
  call: number
  tokenIds: number[]
  normalize: boolean
  vector: Float32Array | null
}

/**
 * Embeddings of a verified model. Texts go through the graph in padded batches where that leaves every vector as it is alone: never
 * through a quantised graph that takes its scales over everything in a call, nor one that takes no attention mask, and only after
 * two texts of the model's own vocabulary gave the same vectors together as alone.
 */
export async function createEmbedder(request: ModelToLoad): Promise<Embedder> {
  const { manifest, device } = request
  const model = await loadModel(AutoModel, request)
  // The first runs are a warm-up too: graphs are optimised and shaders compiled before a task waits for them.
  const batchObstacle = (await findBatchObstacle(request)) ?? ((await isIndependent(model, manifest)) ? null : 'its vectors depend on their neighbours')
  let batches = batchObstacle === null

  const embedAll = async (rows: Row[]) => {
    const vectors = await embedRows(
      model,
      manifest,
      rows.map(({ tokenIds }) => tokenIds),
    )
    for (const [index, row] of rows.entries()) {
      const vector = vectors[index] as Float32Array
      row.vector = row.normalize ? normalize(vector) : vector
      const facts = { model: manifest.model, part: 'embeddings', dtype: manifest.dtype, device }
      assertFinite({ data: row.vector, dims: [vector.length] }, 'values', facts)
    }
  }
  /** Together where it goes; where it fails, one by one, so that only the row at fault fails its call. */
  const embedChunk = async (rows: Row[], errors: unknown[]) => {
    if (rows.length > 1) {
      const together = await embedAll(rows).then(
        () => true,
        () => false,
      )
      if (together) return
    }
    let failed = 0
    for (const row of rows)
      try {
        await embedAll([row])
      } catch (error) {
        errors[row.call] = error instanceof CuckooError ? error : inferenceFailed({ model: manifest.model, reason: toReason(error) }, { cause: error })
        failed++
      }
    // It was the batch that was too much.
    if (rows.length > 1 && failed === 0) batches = false
  }
  return {
    batchObstacle,
    run: async (calls, isCancelled) => {
      const startedAt = performance.now()
      const errors = calls.map(({ input }) => findInputError(manifest, model, input))
      const rows = calls.map(({ input, normalize }, call) =>
        errors[call] === null ? input.tokenIds.map((tokenIds): Row => ({ call, tokenIds, normalize, vector: null })) : [],
      )
      for (const chunk of toChunks(rows.flat(), batches)) {
        if (isCancelled()) return null
        const live = chunk.filter(({ call }) => errors[call] === null && !calls[call]?.isCancelled())
        if (live.length > 0) await embedChunk(live, errors)
      }
      if (isCancelled()) return null
      const totalMs = performance.now() - startedAt
      return calls.map((call, index) => {
        if (errors[index] !== null) return { error: errors[index] }
        const vectors = (rows[index] as Row[]).map(({ vector }) => vector)
        if (call.isCancelled() || !vectors.every((vector) => vector !== null)) return null
        return {
          result: {
            output: { dimensions: vectors[0]?.length ?? 0, embeddings: vectors.map(encodeVector) },
            totalMs,
          },
        }
      })
    },
    dispose: async () => {
      await model.dispose()
    },
  }
}

/** Why the model cannot take this input, null where it can. */
function findInputError(manifest: Manifest, model: PreTrainedModel, { tokenIds }: EmbeddingInput): unknown {
  const { maxBatch, contextTokens } = manifest.limits
  if (tokenIds.length < 1 || tokenIds.length > maxBatch) return inferenceInputInvalid({ problem: `there are ${tokenIds.length} texts, 1 to ${maxBatch} fit` })
  try {
    for (const ids of tokenIds) {
      assertTokenIds(manifest, model, ids)
      if (ids.length > contextTokens) return contextExceeded({ model: manifest.model, promptTokens: ids.length, maxTokens: 0, contextTokens })
    }
    return null
  } catch (error) {
    if (error instanceof CuckooError) return error
    throw error
  }
}

/** One vector float32[dimensions] per row; the shorter rows are padded on the right and masked. */
async function embedRows(model: PreTrainedModel, manifest: Manifest, rows: readonly number[][]): Promise<Float32Array[]> {
  const inputs = toPaddedInputs(rows)
  const outputs = (await model(inputs)) as Record<string, Tensor | undefined>
  const hidden = outputs.last_hidden_state ?? outputs.token_embeddings
  if (hidden === undefined) throw new TypeError('the graph gave no hidden states')
  const pooled = poolHidden(hidden, inputs.attention_mask, rows, manifest.pooling ?? 'mean')
  const data = pooled.data as Float32Array
  const dimensions = data.length / rows.length
  return rows.map((_, row) => data.slice(row * dimensions, (row + 1) * dimensions))
}

/** `input_ids` and `attention_mask`, int64[rows, longest]; padding is token 0, which the mask takes out. */
function toPaddedInputs(rows: readonly number[][]): { input_ids: Tensor; attention_mask: Tensor } {
  const longest = Math.max(...rows.map(({ length }) => length))
  const [ids, mask] = [new BigInt64Array(rows.length * longest), new BigInt64Array(rows.length * longest)]
  for (const [row, tokenIds] of rows.entries()) {
    ids.set(BigInt64Array.from(tokenIds, BigInt), row * longest)
    mask.fill(1n, row * longest, row * longest + tokenIds.length)
  }
  const shape = [rows.length, longest]
  return { input_ids: new Tensor('int64', ids, shape), attention_mask: new Tensor('int64', mask, shape) }
}

/** float32[rows, longest, dimensions] to float32[rows, dimensions]. */
function poolHidden(hidden: Tensor, attentionMask: Tensor, rows: readonly number[][], pooling: NonNullable<Manifest['pooling']>): Tensor {
  if (pooling === 'mean') return mean_pooling(hidden, attentionMask)
  if (pooling === 'cls') return hidden.slice(null, 0)
  const [, longest, dimensions] = hidden.dims as [number, number, number]
  const data = hidden.data as Float32Array
  const last = new Float32Array(rows.length * dimensions)
  for (const [row, { length }] of rows.entries()) {
    const start = (row * longest + length - 1) * dimensions
    last.set(data.subarray(start, start + dimensions), row * dimensions)
  }
  return new Tensor('float32', last, [rows.length, dimensions])
}

/**
 * True when a short and a longer text give the same vectors together as alone, to float rounding: a graph may take an attention
 * mask and not heed it.
 */
async function isIndependent(model: PreTrainedModel, manifest: Manifest): Promise<boolean> {
  const vocabularySize = (model.config as unknown as { vocab_size?: number }).vocab_size ?? 0
  const lengths = [3, 8].map((length) => Math.min(length, manifest.limits.contextTokens))
  const rows = lengths.map((length) => Array.from({ length }, (_, index) => (7 * index + length) % Math.max(1, vocabularySize)))
  // Vectors have length 1. Sums in another order move fp32 by 1e-7 (measured 9e-8) and fp16, with an epsilon of 1e-3, by a few of these.
  const tolerance = manifest.dtype === 'fp32' ? 1e-6 : 4e-3
  try {
    const together = (await embedRows(model, manifest, rows)).map(normalize)
    for (const [index, row] of rows.entries()) {
      const [alone] = (await embedRows(model, manifest, [row])).map(normalize)
      if (!alone?.every((value, at) => Math.abs(value - (together[index]?.[at] ?? Number.NaN)) <= tolerance)) return false
    }
    return true
  } catch {
    // A graph of a fixed batch size. What else is wrong with it, the first task will say.
    return false
  }
}

/** `vector` at length 1; NaN for one of length 0. */
function normalize(vector: Float32Array): Float32Array {
  return new Tensor('float32', vector, [1, vector.length]).normalize(2, -1).data as Float32Array
}

/** Base64 of little-endian float32, whatever this machine's byte order. */
function encodeVector(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes.toString('base64')
}

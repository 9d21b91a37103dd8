import { AutoModel, mean_pooling, type Tensor } from '@huggingface/transformers'
import type { Manifest } from '../domain/manifest.ts'
import type { EmbeddingInput, EmbeddingOutput } from '../domain/task.ts'
import { contextExceeded, inferenceFailed, inferenceInputInvalid } from '../errors/inference.ts'
import { assertTokenIds, loadModel, type ModelToLoad, toModelInputs, toReason } from './loadModel.ts'

export interface Embedder {
  /** null when it was cancelled */
  run(input: EmbeddingInput, normalize: boolean, isCancelled: () => boolean): Promise<{ output: EmbeddingOutput; totalMs: number } | null>
  dispose(): Promise<void>
}

/**
 * Embeddings, one call per text: a quantised graph takes its scales over everything in a call, so a batch would change each vector.
 */
export async function createEmbedder(request: ModelToLoad): Promise<Embedder> {
  const { manifest } = request
  const model = await loadModel(AutoModel, request)
  const embedOne = async (tokenIds: number[], normalize: boolean): Promise<Float32Array> => {
    const inputs = toModelInputs(tokenIds)
    try {
      const outputs = (await model(inputs)) as Record<string, Tensor | undefined>
      const hidden = outputs.last_hidden_state ?? outputs.token_embeddings
      if (hidden === undefined) throw new TypeError('the graph gave no hidden states')
      const pooled = poolHidden(hidden, inputs.attention_mask, manifest.pooling ?? 'mean').to('float32')
      return (normalize ? pooled.normalize(2, -1) : pooled).data as Float32Array
    } catch (error) {
      throw inferenceFailed({ model: manifest.model, reason: toReason(error) }, { cause: error })
    }
  }
  return {
    run: async (input, normalize, isCancelled) => {
      const startedAt = performance.now()
      const { maxBatch, contextTokens } = manifest.limits
      if (input.tokenIds.length < 1 || input.tokenIds.length > maxBatch)
        throw inferenceInputInvalid({ problem: `there are ${input.tokenIds.length} texts, 1 to ${maxBatch} fit` })
      for (const tokenIds of input.tokenIds) {
        assertTokenIds(manifest, model, tokenIds)
        if (tokenIds.length > contextTokens) throw contextExceeded({ model: manifest.model, promptTokens: tokenIds.length, maxTokens: 0, contextTokens })
      }
      const vectors: Float32Array[] = []
      for (const tokenIds of input.tokenIds) {
        if (isCancelled()) return null
        vectors.push(await embedOne(tokenIds, normalize))
      }
      return { output: { dimensions: vectors[0]?.length ?? 0, embeddings: vectors.map(encodeVector) }, totalMs: performance.now() - startedAt }
    },
    dispose: async () => {
      await model.dispose()
    },
  }
}

/** float32[1, tokens, dimensions] to float32[1, dimensions]. */
function poolHidden(hidden: Tensor, attentionMask: Tensor, pooling: NonNullable<Manifest['pooling']>): Tensor {
  if (pooling === 'mean') return mean_pooling(hidden, attentionMask)
  return hidden.slice(null, pooling === 'cls' ? 0 : -1)
}

/** Base64 of little-endian float32, whatever this machine's byte order. */
function encodeVector(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4)
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4)
  return bytes.toString('base64')
}

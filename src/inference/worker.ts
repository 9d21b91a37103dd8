/** The worker that holds one model. The only place, with the files it imports, that loads transformers.js. */
import type { DeviceName } from '../domain/enginePort.ts'
import type { EmbeddingInput, EmbeddingOutput, TextInput, TextOutput, TextParams } from '../domain/task.ts'
import { inferenceInputInvalid } from '../errors/inference.ts'
import { createEmbedder, type Embedder } from './embedding.ts'
import type { ModelToLoad } from './loadModel.ts'
import { serveWorker } from './serveWorker.ts'
import { createGenerator, type Generator } from './text.ts'

export type ModelProtocol = {
  load: { args: ModelToLoad & { device: DeviceName }; result: null }
  /** events are the token ids since the last event; null when it was cancelled */
  generate: {
    args: { input: TextInput; params: TextParams; seed: bigint; cancel: SharedArrayBuffer }
    result: { output: TextOutput; firstTokenMs: number; totalMs: number } | null
    event: number[]
  }
  /** null when it was cancelled */
  embed: { args: { input: EmbeddingInput; normalize: boolean; cancel: SharedArrayBuffer }; result: { output: EmbeddingOutput; totalMs: number } | null }
  dispose: { args: null; result: null }
}

let generator: Generator | null = null
let embedder: Embedder | null = null

/** Cancelling goes through shared memory: while a run keeps this thread busy, messages would wait. */
function toCancelCheck(cancel: SharedArrayBuffer): () => boolean {
  const flag = new Int32Array(cancel)
  return () => Atomics.load(flag, 0) !== 0
}

serveWorker<ModelProtocol>({
  load: async (request) => {
    if (request.manifest.kind === 'text') generator = await createGenerator(request)
    else embedder = await createEmbedder(request)
    return null
  },
  generate: ({ input, params, seed, cancel }, emit) => {
    if (generator === null) throw inferenceInputInvalid({ problem: 'no text model is loaded' })
    return generator.run(input, params, seed, { isCancelled: toCancelCheck(cancel), onTokens: emit })
  },
  embed: ({ input, normalize, cancel }) => {
    if (embedder === null) throw inferenceInputInvalid({ problem: 'no embedding model is loaded' })
    return embedder.run(input, normalize, toCancelCheck(cancel))
  },
  dispose: async () => {
    await generator?.dispose()
    await embedder?.dispose()
    generator = null
    embedder = null
    return null
  },
})

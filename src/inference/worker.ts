/** The worker that holds one model. The only place, with the files it imports, that loads transformers.js. */
import type { DeviceName, ImageRun, PipelineRun } from '../domain/enginePort.ts'
import type { MediaFile } from '../domain/media.ts'
import type { ImageInput, ImageParams, PipelineContent, TextInput, TextOutput, TextParams } from '../domain/task.ts'
import { carriedLimits } from '../domain/taskKinds.ts'
import { inferenceInputInvalid } from '../errors/inference.ts'
import { createImageGenerator, type ImageGenerator } from './diffusion/createImageGenerator.ts'
import { createEmbedder, type Embedder, type EmbeddingItem, type EmbeddingRun } from './embedding.ts'
import type { ModelToLoad } from './loadModel.ts'
import { createPipelineRunner, type PipelineRunner } from './pipelines/createPipelineRunner.ts'
import { serveWorker } from './serveWorker.ts'
import { createGenerator, type Generator } from './text.ts'
import { encodeError, type WireError } from './workerMessages.ts'

export type ModelProtocol = {
  /** `batchObstacle`: why calls that wait may not share a run, null where they may */
  load: { args: ModelToLoad & { device: DeviceName }; result: { batchObstacle: string | null } }
  /** events are the token ids since the last event; null when it was cancelled */
  generate: {
    args: { input: TextInput; params: TextParams; seed: bigint; cancel: SharedArrayBuffer }
    result: { output: TextOutput; firstTokenMs: number; totalMs: number } | null
    event: number[]
  }
  /** calls that share a run: their results in the same order, null for a cancelled one; null for all when all were */
  embed: {
    args: { calls: (EmbeddingItem & { cancel: SharedArrayBuffer })[]; cancel: SharedArrayBuffer }
    result: ({ result: EmbeddingRun } | { error: WireError } | null)[] | null
  }
  /** events are steps done, now and then, and large images as they are made; null when it was cancelled */
  generateImages: {
    args: { input: ImageInput; params: ImageParams; seed: bigint; cancel: SharedArrayBuffer }
    result: ImageRun | null
    event: number | MediaFile
  }
  /** null when it was cancelled */
  runPipeline: { args: { content: PipelineContent; media: Uint8Array | null; cancel: SharedArrayBuffer }; result: PipelineRun | null }
  dispose: { args: null; result: null }
}

/** well below the 30 ms that a miner gathers tokens for before it sends them on */
const tokenEventMs = 10

/** nobody looks at an image's progress more often, and each event wakes the node's thread, which shares the cores with the model */
const stepEventMs = 250

let generator: Generator | null = null
let embedder: Embedder | null = null
let imageGenerator: ImageGenerator | null = null
let pipelineRunner: PipelineRunner | null = null

/** Cancelling goes through shared memory: while a run keeps this thread busy, messages would wait. */
function toCancelCheck(cancel: SharedArrayBuffer): () => boolean {
  const flag = new Int32Array(cancel)
  return () => Atomics.load(flag, 0) !== 0
}

/** The first token goes at once, those after it together: each message wakes the node's thread, which shares the cores with the model. */
function createTokenBuffer(emit: (tokenIds: number[]) => void): { push(tokenIds: number[]): void; flush(): void } {
  let waiting: number[] = []
  let sentAt = 0
  const flush = () => {
    if (waiting.length === 0) return
    emit(waiting)
    waiting = []
    sentAt = performance.now()
  }
  return {
    push: (tokenIds) => {
      waiting.push(...tokenIds)
      if (performance.now() - sentAt >= tokenEventMs) flush()
    },
    flush,
  }
}

/** The first step goes at once, later ones no more often than they are looked at. */
function createStepGauge(emit: (done: number) => void): (done: number) => void {
  let sentAt = Number.NEGATIVE_INFINITY
  return (done) => {
    if (performance.now() - sentAt < stepEventMs) return
    emit(done)
    sentAt = performance.now()
  }
}

serveWorker<ModelProtocol>({
  load: async (request) => {
    const { kind } = request.manifest
    if (kind === 'text') generator = await createGenerator(request)
    else if (kind === 'embedding') embedder = await createEmbedder(request)
    else if (kind === 'image') imageGenerator = await createImageGenerator(request)
    else pipelineRunner = await createPipelineRunner({ ...request, kind })
    return { batchObstacle: embedder === null ? 'tasks of this kind run one by one' : embedder.batchObstacle }
  },
  generate: async ({ input, params, seed, cancel }, emit) => {
    if (generator === null) throw inferenceInputInvalid({ problem: 'no text model is loaded' })
    const tokens = createTokenBuffer(emit)
    const result = await generator.run(input, params, seed, { isCancelled: toCancelCheck(cancel), onTokens: tokens.push })
    tokens.flush()
    return result
  },
  embed: async ({ calls, cancel }) => {
    if (embedder === null) throw inferenceInputInvalid({ problem: 'no embedding model is loaded' })
    const results = await embedder.run(
      calls.map(({ cancel: own, ...item }) => ({ ...item, isCancelled: toCancelCheck(own) })),
      toCancelCheck(cancel),
    )
    return results?.map((ended) => (ended !== null && 'error' in ended ? { error: encodeError(ended.error) } : ended)) ?? null
  },
  generateImages: ({ input, params, seed, cancel }, emit) => {
    if (imageGenerator === null) throw inferenceInputInvalid({ problem: 'no image model is loaded' })
    const onFile = (file: MediaFile) => {
      if (file.data.length > carriedLimits.maxMediaBytes) emit(file)
    }
    return imageGenerator.run(input, params, seed, { isCancelled: toCancelCheck(cancel), onStep: createStepGauge(emit), onFile })
  },
  runPipeline: ({ content, media, cancel }) => {
    if (pipelineRunner === null) throw inferenceInputInvalid({ problem: 'no model of another kind is loaded' })
    return pipelineRunner.run(content, media, toCancelCheck(cancel))
  },
  dispose: async () => {
    for (const runner of [generator, embedder, imageGenerator, pipelineRunner]) await runner?.dispose()
    generator = null
    embedder = null
    imageGenerator = null
    pipelineRunner = null
    return null
  },
})

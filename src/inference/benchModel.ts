import { monitorEventLoopDelay } from 'node:perf_hooks'
import { AutoModelForCausalLM, type Tensor } from '@huggingface/transformers'
import type { Engine, OpenModel, OpenModelRequest } from '../domain/enginePort.ts'
import type { BenchHooks, BenchReport } from '../domain/engineTools.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { ImageParams } from '../domain/task.ts'
import { modelUnsupported } from '../errors/inference.ts'
import { createImageGenerator } from './diffusion/createImageGenerator.ts'
import { createEmbedder } from './embedding.ts'
import { loadModel, type ModelToLoad, toModelInputs } from './loadModel.ts'
import { type ModelPlaces, prepareModel } from './prepareModel.ts'

/** The engine's worker and this thread each compile what they run, but only after some runs. */
const warmUpMs = 1_000
/** between two runs: the runtime's threads look for more work for a while, on the cores that the next one needs */
const restMs = 50
const maxTextTokens = 64
const waitingTasks = 16
/** 12 tokens: a short query, which is what searches embed */
const words = 'the old dog ran to the sea and saw a red boat'

/** The same work twice: through the engine, and in this thread without it. */
interface Work {
  task: string
  unit: BenchReport['unit']
  /** units of one run */
  runEngine(): Promise<number>
  runBare(): Promise<number>
  /** units of 16 tasks that wait together */
  runWaiting?(): Promise<number>
  dispose(): Promise<void>
}

/**
 * Speed of a model through `engine` beside the bare pipeline in this thread: the same inputs, in turn, medians of the rounds.
 * @throws CUCKOO_MODEL_UNSUPPORTED for a kind without a standard task
 */
export async function benchModel(engine: Engine, places: ModelPlaces, request: OpenModelRequest, hooks: BenchHooks): Promise<BenchReport> {
  const model = await engine.openModel(request)
  let work: Work | null = null
  try {
    // The engine fetched, checked and allowed it: from here on its files are there.
    const { folder, manifest } = await prepareModel(request, places)
    work = await createWork(model, { folder: folder.path, manifest, device: model.device })
    const measured = await measure(work, hooks)
    const { kind, dtype } = manifest
    return { model: manifest.model, kind, dtype, device: model.device, deviceReason: model.deviceReason, task: work.task, unit: work.unit, ...measured }
  } finally {
    await work?.dispose()
    await model.dispose()
  }
}

async function measure({ runEngine, runBare, runWaiting }: Work, { rounds, signal, onRound }: BenchHooks) {
  for (const run of [runEngine, runBare]) await warmUp(run, signal)
  const results: { engine: Timed; bare: Timed; waiting: Timed | null }[] = []
  for (let round = 0; round < rounds; round++) {
    signal?.throwIfAborted()
    // In turn, so that a machine that slows down does it to both.
    const [engine, bare] =
      round % 2 === 0
        ? [await time(runEngine), await time(runBare)]
        : await swap(
            () => time(runBare),
            () => time(runEngine),
          )
    results.push({ engine, bare, waiting: runWaiting === undefined ? null : await time(runWaiting) })
    onRound?.(round + 1)
  }
  // In runs of its own: a timer of 1 ms takes time from the cores that the model computes on.
  const lag = monitorEventLoopDelay({ resolution: 1 })
  lag.enable()
  for (let round = 0; round < rounds; round++) await runEngine()
  lag.disable()
  const toSpeed = (all: Timed[]) => ({ msPerTask: getMedian(all.map(({ ms }) => ms)), perSecond: getMedian(all.map(({ ms, units }) => (units / ms) * 1_000)) })
  const waiting = results.flatMap((result) => (result.waiting === null ? [] : [result.waiting]))
  return {
    engine: toSpeed(results.map(({ engine }) => engine)),
    bare: toSpeed(results.map(({ bare }) => bare)),
    addedMs: getMedian(results.map(({ engine, bare }) => engine.ms - bare.ms)),
    waitingPerSecond: waiting.length === 0 ? null : toSpeed(waiting).perSecond,
    eventLoopLagMs: { p50: lag.percentile(50) / 1e6, p99: lag.percentile(99) / 1e6 },
    rounds,
  }
}

interface Timed {
  ms: number
  units: number
}

async function warmUp(run: () => Promise<number>, signal: AbortSignal | undefined): Promise<void> {
  const startedAt = performance.now()
  do {
    signal?.throwIfAborted()
    await run()
  } while (performance.now() - startedAt < warmUpMs)
}

async function time(run: () => Promise<number>): Promise<Timed> {
  await new Promise((resolve) => setTimeout(resolve, restMs))
  const startedAt = performance.now()
  const units = await run()
  return { ms: performance.now() - startedAt, units }
}

async function swap<A, B>(first: () => Promise<A>, second: () => Promise<B>): Promise<[B, A]> {
  const early = await first()
  return [await second(), early]
}

function getMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

async function createWork(model: OpenModel, files: ModelToLoad): Promise<Work> {
  const { manifest } = files
  if (manifest.kind === 'text') return createTextWork(model, files)
  if (manifest.kind === 'embedding') return createEmbeddingWork(model, files)
  if (manifest.kind === 'image') return createImageWork(model, files)
  throw modelUnsupported({ model: manifest.model, reason: `there is no standard task to measure ${manifest.kind} with` })
}

/** Greedy text; the bare side is transformers.js' own `generate`. */
async function createTextWork(model: OpenModel, files: ModelToLoad): Promise<Work> {
  const { manifest } = files
  const tokenIds = await model.tokenizer.encodeText('Once upon a time')
  const maxTokens = Math.max(1, Math.min(maxTextTokens, manifest.limits.contextTokens - tokenIds.length))
  const params = { maxTokens, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' }
  const plain = await loadModel(AutoModelForCausalLM, files)
  const generation = { ...toModelInputs(tokenIds), max_new_tokens: maxTokens, do_sample: false, num_beams: 1 } as unknown as Parameters<
    typeof plain.generate
  >[0]
  return {
    task: `${maxTokens} tokens after ${tokenIds.length}`,
    unit: 'token',
    runEngine: async () => {
      const { output } = await model.generateText({ tokenIds }, params, 0n, { onTokens: () => undefined })
      // The token that ends a text is made too, and is no part of it.
      return output.tokenIds.length + (output.finishReason === 'stop' ? 1 : 0)
    },
    runBare: async () => ((await plain.generate(generation)) as Tensor).data.length - tokenIds.length,
    dispose: async () => {
      await plain.dispose()
    },
  }
}

/** One short text at a time, and 16 tasks that wait; the bare side is the model and its pooling in this thread. */
async function createEmbeddingWork(model: OpenModel, files: ModelToLoad): Promise<Work> {
  const { contextTokens } = files.manifest.limits
  const tokenIds = (await model.tokenizer.encodeText(words)).slice(0, contextTokens)
  const input = { tokenIds: [tokenIds] }
  const bare = await createEmbedder(files)
  const embed = () => model.embed(input, { normalize: true })
  return {
    task: `a text of ${tokenIds.length} tokens`,
    unit: 'text',
    runEngine: async () => (await embed()).output.embeddings.length,
    runBare: async () => (await bare.run([{ input, normalize: true, isCancelled: () => false }], () => false))?.length ?? 0,
    runWaiting: async () => (await Promise.all(Array.from({ length: waitingTasks }, embed))).length,
    dispose: bare.dispose,
  }
}

/** One image as the model's manifest would make it; the bare side is the sampler and its graphs in this thread. */
async function createImageWork(model: OpenModel, files: ModelToLoad): Promise<Work> {
  const traits = getImageTraits(files.manifest)
  const params: ImageParams = { count: 1, ...traits }
  const input = { prompt: 'a red circle left of a blue square', negativePrompt: '' }
  const bare = await createImageGenerator(files)
  const hooks = { isCancelled: () => false, onStep: () => undefined, onFile: () => undefined }
  return {
    task: `${params.width} × ${params.height}, ${params.steps} steps`,
    unit: 'image',
    runEngine: async () => (await model.generateImages(input, params, 1n)).files.length,
    runBare: async () => (await bare.run(input, params, 1n, hooks))?.files.length ?? 0,
    dispose: bare.dispose,
  }
}

function getImageTraits({ model, image }: Manifest): Omit<ImageParams, 'count'> {
  if (image === undefined) throw modelUnsupported({ model, reason: 'its manifest has no image traits' })
  const { width, height, steps, guidance, scheduler } = image
  return { width, height, steps, guidance, scheduler }
}

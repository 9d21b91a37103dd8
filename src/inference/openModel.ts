import { readFile } from 'node:fs/promises'
import type { DeviceName, OpenModel, RunHooks, RunWatch } from '../domain/enginePort.ts'
import { type Manifest, tokenizerFiles, toManifestDigest } from '../domain/manifest.ts'
import type { MediaFile } from '../domain/media.ts'
import { taskKindTraits } from '../domain/taskKinds.ts'
import { type CuckooError, isError } from '../errors/cuckooError.ts'
import { inferenceDisposed, inferenceStuck, modelFileMissing, modelKindWrong } from '../errors/inference.ts'
import { createBatcher } from './createBatcher.ts'
import { createRuns } from './createRuns.ts'
import type { EmbeddingItem, EmbeddingRun } from './embedding.ts'
import { createExclusive, type Exclusive } from './exclusive.ts'
import { findSibling } from './findSibling.ts'
import type { InferenceLogger } from './logger.ts'
import { getModelFile, type ModelFolder } from './modelFolder.ts'
import { openTokenizerLater } from './openTokenizer.ts'
import { createStandstill, watchOverrun, watchQueue } from './standstill.ts'
import { watchTokenizer } from './tokenizerGuard.ts'
import type { TokenizerPool } from './tokenizerPool.ts'
import { isOutOfMemory, toRuntimeError } from './toRuntimeError.ts'
import type { ModelProtocol } from './worker.ts'
import { createWorkerClient } from './workerClient.ts'
import { decodeError } from './workerMessages.ts'

/** Two WebGPU sessions that run at once in a process can crash it: all models of the process share this queue, and are stuck together. */
const webGpu = createExclusive()
const webGpuStandstill = createStandstill()

/** Waiting embedding calls are taken together up to this many tokens: what a CPU works off in about the time of one long text. */
const maxBatchTokens = 8_192

export interface ModelToOpen {
  folder: ModelFolder
  manifest: Manifest
  device: DeviceName
  deviceReason: string
  tokenizers: TokenizerPool
  /** the longest one call of a tokenizer in the model's own worker may take: longer, and the worker is ended */
  tokenizerTimeoutMs: number
  logger?: InferenceLogger | undefined
  signal?: AbortSignal | undefined
  watch?: RunWatch | undefined
  /** called once when the model has been disposed */
  onDispose: () => void
}

/**
 * The model in a worker thread of its own, loaded. Its runs go one after another.
 * @throws CUCKOO_MODEL_LOAD_FAILED when the runtime refuses it
 * @throws CUCKOO_INFERENCE_STUCK when a run of another model holds up the device
 */
export async function openModel(request: ModelToOpen): Promise<OpenModel> {
  const { folder, manifest, device, tokenizerTimeoutMs, signal, watch } = request
  const readModelFile = async (path: string) => {
    if (!manifest.files.some((file) => file.path === path)) throw modelFileMissing({ model: manifest.model, file: path })
    return new Uint8Array(await readFile(await getModelFile(folder, path)))
  }
  const named = tokenizerFiles.filter((path) => manifest.files.some((file) => file.path === path))
  const tokenizerBytes = new Map(await Promise.all(named.map(async (path) => [path, await readModelFile(path)] as const)))
  const tokenizer = openTokenizerLater(request.tokenizers, tokenizerBytes, manifest.chatTemplate)
  const worker = createWorkerClient<ModelProtocol>({ name: `model ${manifest.model}`, file: findSibling('worker', import.meta.url), logger: request.logger })
  const { guard: tokenizerGuard, watch: whileWatched } = watchTokenizer(tokenizerTimeoutMs, (reason) => worker.terminate(reason))
  const own = createExclusive()
  const shared: Exclusive = { run: (task, runSignal) => own.run(() => webGpu.run(task, runSignal), runSignal) }
  const isShared = device === 'webgpu'
  const standstill = isShared ? webGpuStandstill : createStandstill()
  const queue = watchQueue(isShared ? shared : own, standstill, manifest.model)
  const toError = (error: unknown) => toRuntimeError(error, { model: manifest.model, device })
  let forget = () => {}
  const load = async () => {
    forget = standstill.onChange((isStuck) => watch?.onStuck(isStuck))
    const overrun = watchOverrun(standstill, watch?.loadMs ?? Number.POSITIVE_INFINITY)
    overrun.begin()
    const unwanted = watchOverrun(standstill, watch?.letGoMs ?? Number.POSITIVE_INFINITY)
    signal?.addEventListener('abort', unwanted.begin, { once: true })
    try {
      return await worker.call('load', { folder: folder.path, manifest, device, tokenizerGuard })
    } finally {
      overrun.end()
      signal?.removeEventListener('abort', unwanted.begin)
      unwanted.end()
    }
  }
  let batchObstacle: string | null
  try {
    ;({ batchObstacle } = await queue.run(load, signal))
  } catch (error) {
    // A load that nobody waits for any more goes on in the worker. To terminate a worker inside the runtime aborts the whole process.
    if (!isError(error, inferenceStuck)) await queue.runLast(async () => undefined)
    forget()
    await worker.terminate()
    throw toError(error)
  }
  request.logger?.debug({ model: manifest.model, device, batchObstacle }, 'model loaded')
  const disposed = () => inferenceDisposed({ what: `model ${manifest.model}` })
  // Runs that waited while another one ended the worker have no part in that.
  const runs = createRuns({ queue, letGoMs: watch?.letGoMs ?? Number.POSITIVE_INFINITY, findEnd: () => (worker.ended === null ? null : disposed()) })
  let disposing: Promise<void> | null = null
  const close = async (reason: CuckooError) => {
    // However long the present run takes to stop: see the load above.
    await runs.close(reason, () => worker.call('dispose', null)).catch(() => undefined)
    forget()
    await worker.terminate(reason)
    await tokenizer.dispose()
    request.onDispose()
  }
  const dispose = async (reason: CuckooError) => {
    const givenUp = Promise.withResolvers<void>()
    const stopWatching = standstill.onChange(() => givenUp.resolve())
    if (standstill.isStuck) givenUp.resolve()
    await Promise.race([close(reason), givenUp.promise])
    stopWatching()
  }
  // What is short of memory must not keep it: the model goes, the node stays, and later calls are told why.
  const toRunError = (error: unknown) => {
    const known = toError(error)
    if (isOutOfMemory(known)) disposing ??= dispose(known)
    return known
  }
  const run = async <T>(start: (cancel: SharedArrayBuffer, abandon: () => void) => Promise<T | null>, hooks?: RunHooks): Promise<T> => {
    try {
      return await runs.run(start, hooks)
    } catch (error) {
      throw toRunError(error)
    }
  }
  const batcher = createBatcher<EmbeddingItem, EmbeddingRun>({
    run,
    start: async (calls, cancel) => {
      const results = await worker.call('embed', { calls: calls.map(({ item, cancel: own }) => ({ ...item, cancel: own })), cancel })
      return results?.map((ended) => (ended !== null && 'error' in ended ? { error: toRunError(decodeError(ended.error)) } : ended)) ?? null
    },
    weigh: ({ input }) => input.tokenIds.reduce((sum, { length }) => sum + length, 0),
    maxWeight: batchObstacle === null ? maxBatchTokens : 0,
  })
  return {
    manifest,
    manifestDigest: toManifestDigest(manifest),
    device,
    deviceReason: request.deviceReason,
    tokenizer,
    readFile: readModelFile,
    generateText: async (input, params, seed, hooks = {}) => {
      assertKind(manifest, 'text')
      const onTokens = (tokenIds: number[]) => {
        if (!hooks.signal?.aborted) hooks.onTokens?.(tokenIds)
      }
      return run((cancel) => whileWatched(() => worker.call('generate', { input, params, seed, cancel }, onTokens)), hooks)
    },
    embed: async (input, { normalize }, hooks = {}) => {
      assertKind(manifest, 'embedding')
      return batcher.run({ input, normalize }, hooks)
    },
    generateImages: async (input, params, seed, hooks = {}) => {
      assertKind(manifest, 'image')
      const onEvent = (made: number | MediaFile) => {
        if (hooks.signal?.aborted) return
        if (typeof made === 'number') hooks.onStep?.(made, params.count * params.steps)
        else hooks.onFile?.(made)
      }
      return run((cancel) => whileWatched(() => worker.call('generateImages', { input, params, seed, cancel }, onEvent)), hooks)
    },
    runPipeline: async (content, media, hooks = {}) => {
      assertKind(manifest, taskKindTraits[content.kind].modelKind)
      return run((cancel) => whileWatched(() => worker.call('runPipeline', { content, media, cancel })), hooks)
    },
    dispose: () => {
      disposing ??= dispose(disposed())
      return disposing
    },
  }
}

function assertKind(manifest: Manifest, wanted: Manifest['kind']): void {
  if (manifest.kind !== wanted) throw modelKindWrong({ model: manifest.model, kind: manifest.kind, wanted })
}

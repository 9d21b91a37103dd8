import { readFile } from 'node:fs/promises'
import type { DeviceName, OpenModel } from '../domain/enginePort.ts'
import { type Manifest, tokenizerFiles, toManifestDigest } from '../domain/manifest.ts'
import { taskKindTraits } from '../domain/taskKinds.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import { inferenceDisposed, modelFileMissing, modelKindWrong } from '../errors/inference.ts'
import { createExclusive, type Exclusive } from './exclusive.ts'
import { findSibling } from './findSibling.ts'
import type { InferenceLogger } from './logger.ts'
import { getModelFile, type ModelFolder } from './modelFolder.ts'
import { openTokenizerLater } from './openTokenizer.ts'
import type { TokenizerPool } from './tokenizerPool.ts'
import type { ModelProtocol } from './worker.ts'
import { createWorkerClient } from './workerClient.ts'

/** Two WebGPU sessions that run at once in a process can crash it: all models of the process share this queue. */
const webGpu = createExclusive()

export interface ModelToOpen {
  folder: ModelFolder
  manifest: Manifest
  device: DeviceName
  deviceReason: string
  tokenizers: TokenizerPool
  logger?: InferenceLogger | undefined
  signal?: AbortSignal | undefined
  /** called once when the model has been disposed */
  onDispose: () => void
}

/**
 * The model in a worker thread of its own, loaded. Its runs go one after another.
 * @throws CUCKOO_MODEL_LOAD_FAILED when the runtime refuses it
 */
export async function openModel(request: ModelToOpen): Promise<OpenModel> {
  const { folder, manifest, device, signal } = request
  const readModelFile = async (path: string) => {
    if (!manifest.files.some((file) => file.path === path)) throw modelFileMissing({ model: manifest.model, file: path })
    return new Uint8Array(await readFile(await getModelFile(folder, path)))
  }
  const named = tokenizerFiles.filter((path) => manifest.files.some((file) => file.path === path))
  const tokenizerBytes = new Map(await Promise.all(named.map(async (path) => [path, await readModelFile(path)] as const)))
  const tokenizer = openTokenizerLater(request.tokenizers, tokenizerBytes, manifest.chatTemplate)
  const worker = createWorkerClient<ModelProtocol>({ name: `model ${manifest.model}`, file: findSibling('worker', import.meta.url), logger: request.logger })
  const own = createExclusive()
  const queue: Exclusive = device === 'webgpu' ? { run: (task, runSignal) => own.run(() => webGpu.run(task, runSignal), runSignal) } : own
  try {
    await queue.run(() => worker.call('load', { folder: folder.path, manifest, device }), signal)
  } catch (error) {
    await worker.terminate()
    throw error
  }
  const runs = createRuns(queue, inferenceDisposed({ what: `model ${manifest.model}` }))
  let disposing: Promise<void> | null = null
  const dispose = async () => {
    // The runtime frees its memory where the run stops in time; the worker ends in any case.
    const freed = runs.close(() => worker.call('dispose', null)).catch(() => undefined)
    await Promise.race([freed, new Promise((resolve) => setTimeout(resolve, 2_000).unref())])
    await worker.terminate(runs.closed)
    await tokenizer.dispose()
    request.onDispose()
  }
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
      return runs.run((cancel) => worker.call('generate', { input, params, seed, cancel }, onTokens), hooks.signal)
    },
    embed: async (input, { normalize }, hooks = {}) => {
      assertKind(manifest, 'embedding')
      return runs.run((cancel) => worker.call('embed', { input, normalize, cancel }), hooks.signal)
    },
    generateImages: async (input, params, seed, hooks = {}) => {
      assertKind(manifest, 'image')
      const onStep = (done: number) => {
        if (!hooks.signal?.aborted) hooks.onStep?.(done, params.steps)
      }
      return runs.run((cancel) => worker.call('generateImages', { input, params, seed, cancel }, onStep), hooks.signal)
    },
    runPipeline: async (content, media, hooks = {}) => {
      assertKind(manifest, taskKindTraits[content.kind].modelKind)
      return runs.run((cancel) => worker.call('runPipeline', { content, media, cancel }), hooks.signal)
    },
    dispose: () => {
      disposing ??= dispose()
      return disposing
    },
  }
}

function assertKind(manifest: Manifest, wanted: Manifest['kind']): void {
  if (manifest.kind !== wanted) throw modelKindWrong({ model: manifest.model, kind: manifest.kind, wanted })
}

/** A model's runs: one after another, each cancellable through shared memory that the worker looks at after every token. */
interface Runs {
  readonly closed: CuckooError
  /** The run's result; rejects with the signal's reason at once when it aborts, or with `closed`. */
  run<T>(start: (cancel: SharedArrayBuffer) => Promise<T | null>, signal?: AbortSignal): Promise<T>
  /** Stops the present run, refuses those that wait, and then does `last`. */
  close(last: () => Promise<unknown>): Promise<unknown>
}

function createRuns(queue: Exclusive, closed: CuckooError): Runs {
  let isClosed = false
  let present: Int32Array | null = null
  return {
    closed,
    run: (start, signal) =>
      queue.run(async () => {
        if (isClosed) throw closed
        const cancel = new SharedArrayBuffer(4)
        const flag = new Int32Array(cancel)
        const onAbort = () => Atomics.store(flag, 0, 1)
        present = flag
        signal?.addEventListener('abort', onAbort, { once: true })
        try {
          const result = await start(cancel)
          if (result === null) throw signal?.aborted ? signal.reason : closed
          return result
        } finally {
          present = null
          signal?.removeEventListener('abort', onAbort)
        }
      }, signal),
    close: (last) => {
      isClosed = true
      if (present !== null) Atomics.store(present, 0, 1)
      return queue.run(last)
    },
  }
}

import { readFile } from 'node:fs/promises'
import { type Manifest, tokenizerFiles, toManifestDigest } from '../domain/manifest.ts'
import type { DeviceName, OpenModel } from '../domain/ports.ts'
import { inferenceDisposed, modelFileMissing, modelKindWrong } from '../errors/inference.ts'
import { createExclusive, type Exclusive } from './exclusive.ts'
import { findSibling } from './findSibling.ts'
import type { InferenceLogger } from './logger.ts'
import { getModelFile, type ModelFolder } from './modelFolder.ts'
import { openTokenizerLater } from './openTokenizer.ts'
import type { TokenizerPool } from './tokenizerPool.ts'
import type { ModelProtocol } from './worker.ts'
import { createWorkerClient, type WorkerClient } from './workerClient.ts'

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
  const worker = createWorkerClient<ModelProtocol>({ name: `model ${manifest.model}`, file: findSibling('worker', import.meta.url), logger: request.logger })
  const own = createExclusive()
  const runs: Exclusive = device === 'webgpu' ? { run: (task, runSignal) => own.run(() => webGpu.run(task, runSignal), runSignal) } : own
  try {
    await runs.run(() => worker.call('load', { folder: folder.path, manifest, device }), signal)
  } catch (error) {
    await worker.terminate()
    throw error
  }
  const readModelFile = async (path: string) => {
    if (!manifest.files.some((file) => file.path === path)) throw modelFileMissing({ model: manifest.model, file: path })
    return new Uint8Array(await readFile(await getModelFile(folder, path)))
  }
  const named = tokenizerFiles.filter((path) => manifest.files.some((file) => file.path === path))
  const files = new Map(await Promise.all(named.map(async (path) => [path, await readModelFile(path)] as const)))
  const tokenizer = openTokenizerLater(request.tokenizers, files, manifest.chatTemplate)
  let disposing: Promise<void> | null = null
  return {
    manifest,
    manifestDigest: toManifestDigest(manifest),
    device,
    deviceReason: request.deviceReason,
    tokenizer,
    readFile: readModelFile,
    generateText: async (input, params, seed, hooks = {}) => {
      assertKind(manifest, 'text')
      const onTokens = hooks.onTokens ?? (() => undefined)
      return runs.run(() => runCancellable(hooks.signal, (cancel) => worker.call('generate', { input, params, seed, cancel }, onTokens)), hooks.signal)
    },
    embed: async (input, { normalize }, hooks = {}) => {
      assertKind(manifest, 'embedding')
      return runs.run(() => runCancellable(hooks.signal, (cancel) => worker.call('embed', { input, normalize, cancel })), hooks.signal)
    },
    dispose: () => {
      disposing ??= disposeModel(worker, manifest).finally(async () => {
        request.onDispose()
        await tokenizer.dispose()
      })
      return disposing
    },
  }
}

function assertKind(manifest: Manifest, wanted: Manifest['kind']): void {
  if (manifest.kind !== wanted) throw modelKindWrong({ model: manifest.model, kind: manifest.kind, wanted })
}

/** Runs in the worker until the result, or until the signal aborts: then the worker stops within one token and the reason is thrown. */
async function runCancellable<T>(signal: AbortSignal | undefined, start: (cancel: SharedArrayBuffer) => Promise<T | null>): Promise<T> {
  const cancel = new SharedArrayBuffer(4)
  const onAbort = () => Atomics.store(new Int32Array(cancel), 0, 1)
  if (signal?.aborted) throw signal.reason
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    const result = await start(cancel)
    if (result === null) throw signal?.reason
    return result
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

/** Lets the runtime free its memory where it is idle, and ends the worker in any case. */
async function disposeModel(worker: WorkerClient<ModelProtocol>, { model }: Manifest): Promise<void> {
  const reason = inferenceDisposed({ what: `model ${model}` })
  if (worker.ended === null)
    await Promise.race([worker.call('dispose', null).catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 2_000).unref())])
  await worker.terminate(reason)
}

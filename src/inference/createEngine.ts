import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Engine, OpenModel, OpenModelRequest } from '../domain/enginePort.ts'
import { modelNotFound } from '../errors/inference.ts'
import { bundledDirectory, listBundledModels, toBundledFolder } from './bundledModels.ts'
import { createManifest } from './createManifest.ts'
import { chooseDevice, type ProbedDevice, probeDevices } from './devices.ts'
import { downloadModel } from './downloadModel.ts'
import type { InferenceLogger } from './logger.ts'
import { listModels, type ModelFolder } from './modelFolder.ts'
import type { ModelPaths } from './modelLayout.ts'
import { assertModelName } from './modelName.ts'
import { openModel } from './openModel.ts'
import { createTokenizerPool } from './tokenizerPool.ts'

export interface EngineOptions {
  /** where downloaded models are kept */
  modelsDirectory: string
  /** true: nothing is downloaded */
  offline?: boolean
  /** `https://huggingface.co` unless told */
  hubUrl?: string
  /** for gated models */
  hubToken?: string
  /** the longest one tokenizer call may take, 5,000 unless told */
  tokenizerTimeoutMs?: number
  logger?: InferenceLogger
}

/**
 * The inference engine: models in worker threads of this process, through transformers.js and the ONNX runtime, which load with
 * the first model.
 * @example
 * const engine = createEngine({ modelsDirectory: '/home/me/.cuckoo/models' })
 * const model = await engine.openModel({ model: 'cuckoo/storyteller', source: { from: 'bundled' }, dtype: 'fp32', device: 'cpu' })
 * const tokenIds = await model.tokenizer.encodeText('Once upon a time')
 */
export function createEngine(options: EngineOptions): Engine {
  const tokenizers = createTokenizerPool({
    timeoutMs: options.tokenizerTimeoutMs ?? 5_000,
    ...(options.logger === undefined ? {} : { logger: options.logger }),
  })
  const models = new Set<OpenModel>()
  let devices: Promise<ProbedDevice[]> | null = null
  const getDevices = () => {
    devices ??= probeDevices()
    return devices
  }
  return {
    listDevices: async () => (await getDevices()).map(({ device, available, detail }) => ({ device, available, detail })),
    listBundledModels,
    openModel: async (request) => {
      assertModelName(request.model)
      request.signal?.throwIfAborted()
      const chosen = request.device === 'cpu' ? { device: request.device, reason: 'as asked' } : chooseDevice(request.device, await getDevices())
      const { folder, ...pinned } = await locateModel(request, options)
      const manifest = await createManifest(folder, { dtype: request.dtype, kind: request.kind, ...pinned })
      options.logger?.debug({ model: request.model, device: chosen.device, reason: chosen.reason }, 'opening model')
      const opened = await openModel({
        folder,
        manifest,
        device: chosen.device,
        deviceReason: chosen.reason,
        tokenizers,
        logger: options.logger,
        signal: request.signal,
        onDispose: () => models.delete(opened),
      })
      models.add(opened)
      return opened
    },
    dispose: async () => {
      await Promise.all([...models].map((model) => model.dispose()))
      await tokenizers.dispose()
    },
  }
}

/** The folder that holds the model's files, downloaded where the source is the hub. */
async function locateModel(request: OpenModelRequest, options: EngineOptions): Promise<{ folder: ModelFolder; revision: string | null; paths?: ModelPaths }> {
  const { model, source } = request
  if (source.from === 'hub') {
    return downloadModel({
      model,
      revision: source.revision,
      dtype: request.dtype,
      kind: request.kind,
      directory: resolve(options.modelsDirectory),
      baseUrl: options.hubUrl ?? 'https://huggingface.co',
      token: options.hubToken,
      offline: options.offline ?? false,
      onProgress: request.onProgress,
      signal: request.signal,
    })
  }
  const directory = source.from === 'bundled' ? bundledDirectory : resolve(source.directory)
  const folder = source.from === 'bundled' ? toBundledFolder(model) : { model, path: join(directory, model), refuseHardLinks: true }
  if (!(await stat(folder.path).catch(() => null))?.isDirectory()) {
    const known = (await listModels(directory)).join(', ')
    throw modelNotFound({ model, where: source.from === 'bundled' ? 'the models that ship with cuckoo' : directory, known })
  }
  return { folder, revision: null }
}

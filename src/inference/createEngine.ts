import type { Engine, OpenModel } from '../domain/enginePort.ts'
import { listBundledModels } from './bundledModels.ts'
import { chooseDevice, type ProbedDevice, probeDevices, toDevicesFor } from './devices.ts'
import type { InferenceLogger } from './logger.ts'
import { assertModelName } from './modelName.ts'
import { openModel } from './openModel.ts'
import { type ModelPlaces, prepareModel } from './prepareModel.ts'
import { createTokenizerPool } from './tokenizerPool.ts'

export interface EngineOptions extends ModelPlaces {
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
  const { tokenizerTimeoutMs = 5_000 } = options
  const tokenizers = createTokenizerPool({
    timeoutMs: tokenizerTimeoutMs,
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
      const chosen =
        request.device === 'cpu'
          ? { device: request.device, reason: 'as asked' }
          : chooseDevice(request.device, toDevicesFor(request.dtype, await getDevices()))
      const { folder, manifest } = await prepareModel(request, options)
      options.logger?.debug({ model: request.model, device: chosen.device, reason: chosen.reason }, 'opening model')
      const opened = await openModel({
        folder,
        manifest,
        device: chosen.device,
        deviceReason: chosen.reason,
        tokenizers,
        tokenizerTimeoutMs,
        logger: options.logger,
        signal: request.signal,
        watch: request.watch,
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

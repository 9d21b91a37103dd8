import type { DeviceName, DownloadProgress, Engine, ModelSource, OpenModel } from '../domain/enginePort.ts'
import type { Hash } from '../domain/hex.ts'
import { type Dtype, type Manifest, tokenizerFiles } from '../domain/manifest.ts'
import type { Clock } from '../domain/ports.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import { minerModelsMissing, minerModelTwice, minerModelUnusable } from '../errors/miner.ts'
import { openLastingModel } from './openLastingModel.ts'

/** A model to offer. */
export interface OfferedModel {
  /** `owner/model` */
  model: string
  source: ModelSource
  dtype: Dtype
  device: DeviceName | 'auto'
}

/** A model that is loaded and has run once. */
export interface LoadedModel {
  model: OpenModel
  /** paid units (output tokens; of embeddings input tokens) per second of the warm-up run, its prompt included; 0: it made none */
  unitsPerSecond: number
  loadMs: number
}

/** Loaded models by manifest digest: what an assignment names. */
export type LoadedModels = ReadonlyMap<Hash, LoadedModel>

const warmUpText = 'Once upon a time there was a small bird.'
const warmUpTokens = 16
/** The first run pays for lazily made kernels and buffers, so the second one is measured. */
const warmUpRuns = 2

/**
 * The models of `offers`, opened one after another and each run twice: the second run measures the units/s that the handshake
 * tells coordinators. When one cannot be used, those already open are disposed of.
 *
 * @throws CUCKOO_MINER_MODELS_MISSING when `offers` is empty
 * @throws CUCKOO_MINER_MODEL_TWICE when a model and dtype stands in `offers` twice
 * @throws CUCKOO_MINER_MODEL_UNUSABLE when a model opens but does not run; the engine's own errors pass
 */
export async function loadModels(
  engine: Engine,
  offers: readonly OfferedModel[],
  options: {
    clock: Clock
    signal?: AbortSignal
    onProgress?: (model: string, progress: DownloadProgress) => void
    onLoaded?: (loaded: LoadedModel) => void
  },
): Promise<LoadedModels> {
  if (offers.length === 0) throw minerModelsMissing({})
  const loaded = new Map<Hash, LoadedModel>()
  try {
    for (const offer of offers) {
      const startedAtMs = options.clock.nowMs()
      const { onProgress, signal } = options
      const model = await openLastingModel(engine, {
        ...offer,
        ...(signal === undefined ? {} : { signal }),
        ...(onProgress === undefined ? {} : { onProgress: (progress) => onProgress(offer.model, progress) }),
      })
      if (loaded.has(model.manifestDigest)) {
        await model.dispose()
        throw minerModelTwice({ model: offer.model, dtype: offer.dtype })
      }
      loaded.set(model.manifestDigest, { model, unitsPerSecond: 0, loadMs: 0 })
      const unitsPerSecond = await measureUnitsPerSecond(model, signal)
      const entry = { model, unitsPerSecond, loadMs: options.clock.nowMs() - startedAtMs }
      loaded.set(model.manifestDigest, entry)
      options.onLoaded?.(entry)
    }
    return loaded
  } catch (error) {
    await Promise.allSettled([...loaded.values()].map(({ model }) => model.dispose()))
    throw error
  }
}

async function measureUnitsPerSecond(model: OpenModel, signal: AbortSignal | undefined): Promise<number> {
  try {
    let measured = 0
    for (let run = 0; run < warmUpRuns; run++) measured = await runOnce(model, signal)
    return measured
  } catch (error) {
    if (error instanceof CuckooError || signal?.aborted) throw error
    throw minerModelUnusable({ model: model.manifest.model, reason: error instanceof Error ? error.message : String(error) }, { cause: error })
  }
}

async function runOnce(model: OpenModel, signal: AbortSignal | undefined): Promise<number> {
  const { limits, kind } = model.manifest
  const hooks = signal === undefined ? {} : { signal }
  const tokenIds = (await model.tokenizer.encodeText(warmUpText)).slice(0, Math.max(1, limits.contextTokens - 1))
  if (kind === 'embedding') {
    const { totalMs } = await model.embed({ tokenIds: [tokenIds] }, { normalize: true }, hooks)
    return toRate(tokenIds.length, totalMs)
  }
  const maxTokens = Math.max(1, Math.min(warmUpTokens, limits.maxOutputTokens, limits.contextTokens - tokenIds.length))
  const params = { maxTokens, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' }
  const { output, totalMs } = await model.generateText({ tokenIds }, params, 0n, hooks)
  return toRate(output.tokenIds.length, totalMs)
}

function toRate(units: number, totalMs: number): number {
  return totalMs > 0 ? Math.round((units / totalMs) * 1e6) / 1e3 : 0
}

/** The manifest's tokenizer files by SHA-256: what a coordinator may ask a miner to hand in. */
export function listTokenizerFiles(manifest: Manifest): Map<Hash, string> {
  const wanted: readonly string[] = tokenizerFiles
  return new Map(manifest.files.filter(({ path }) => wanted.includes(path)).map(({ path, sha256 }) => [sha256, path]))
}

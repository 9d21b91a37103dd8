import type { DownloadProgress } from '../domain/enginePort.ts'
import type { Hash } from '../domain/hex.ts'
import { type Manifest, tokenizerFiles } from '../domain/manifest.ts'
import { minerModelsMissing, minerModelUnusable } from '../errors/miner.ts'
import { defaultMinerTiming } from './minerTiming.ts'
import type { ModelShelf, OfferedModel, ShelvedModel } from './modelShelf.ts'
import { measureUnitsPerSecond } from './warmUp.ts'

/**
 * Puts the models of `offers` on the shelf, one after another, each run twice: what the second run measures is the units/s that the
 * handshake tells coordinators. When one cannot be used, the shelf is to be disposed of.
 *
 * @throws CUCKOO_MINER_MODELS_MISSING when `offers` is empty
 * @throws CUCKOO_MINER_MODEL_TWICE when a model and dtype stands in `offers` twice
 * @throws CUCKOO_MINER_MODEL_OVER_BUDGET when the models have no place in the memory budget
 * @throws CUCKOO_MINER_MODEL_UNUSABLE when a model opens but does not run, or its two runs take longer than `limitMs`; the engine's own errors pass
 */
export async function loadModels(
  shelf: ModelShelf,
  offers: readonly OfferedModel[],
  options: {
    signal?: AbortSignal
    /** `firstLoadMs` of the default timing unless told */
    limitMs?: number
    onProgress?: (model: string, progress: DownloadProgress) => void
    onLoaded?: (loaded: ShelvedModel, loadMs: number) => void
  } = {},
): Promise<void> {
  if (offers.length === 0) throw minerModelsMissing({})
  const { signal, limitMs = defaultMinerTiming.firstLoadMs, onProgress, onLoaded } = options
  for (const offer of offers) {
    const startedAtMs = performance.now()
    const shelved = await shelf.add(offer, {
      ...(signal !== undefined && { signal }),
      ...(onProgress !== undefined && { onProgress: (progress) => onProgress(offer.model, progress) }),
    })
    const limit = AbortSignal.timeout(limitMs)
    const either = signal === undefined ? limit : AbortSignal.any([signal, limit])
    const speed = await shelf
      .run(shelved.manifestDigest, (model) => measureUnitsPerSecond(model, either), either)
      .catch((error: unknown) => {
        if (!limit.aborted || signal?.aborted) throw error
        throw minerModelUnusable({ model: offer.model, reason: `its first two runs take longer than ${limitMs / 60_000} min` }, { cause: error })
      })
    shelf.setSpeed(shelved.manifestDigest, speed)
    onLoaded?.(shelved, Math.round(performance.now() - startedAtMs))
  }
}

/** The manifest's tokenizer files by SHA-256: what a coordinator may ask a miner to hand in. */
export function listTokenizerFiles(manifest: Manifest): Map<Hash, string> {
  const wanted: readonly string[] = tokenizerFiles
  return new Map(manifest.files.filter(({ path }) => wanted.includes(path)).map(({ path, sha256 }) => [sha256, path]))
}

import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { OpenModelRequest } from '../domain/enginePort.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { LintFinding } from '../domain/modelCachePort.ts'
import { modelNotFound, modelUnsafe } from '../errors/inference.ts'
import { createAllowedModels } from './allowedModels.ts'
import { bundledDirectory, toBundledFolder } from './bundledModels.ts'
import { inspectModel } from './createManifest.ts'
import { downloadModel } from './downloadModel.ts'
import type { HubPlace } from './downloadRequest.ts'
import { listModels, type ModelFolder } from './modelFolder.ts'
import { assertModelName } from './modelName.ts'

/** Where models are, and which ones may be loaded. */
export interface ModelPlaces {
  /** where downloaded models are kept */
  modelsDirectory: string
  /** true: nothing is downloaded */
  offline?: boolean | undefined
  /** `https://huggingface.co` unless told */
  hubUrl?: string | undefined
  /** for gated models */
  hubToken?: string | undefined
  /** bytes that the cache may have; absent: only the disk limits it */
  budgetBytes?: number | undefined
  /** the list of allowed manifests; absent: every model may be loaded */
  allowedModelsFile?: string | undefined
}

export function toHubPlace(places: ModelPlaces): HubPlace {
  return {
    directory: resolve(places.modelsDirectory),
    baseUrl: places.hubUrl ?? 'https://huggingface.co',
    token: places.hubToken,
    offline: places.offline ?? false,
    budgetBytes: places.budgetBytes,
  }
}

/**
 * A model's folder, complete and checked, with its manifest: downloaded where it comes from the hub, linted, allowed.
 * @throws CUCKOO_MODEL_NAME_INVALID, CUCKOO_MODEL_NOT_FOUND, CUCKOO_MODEL_UNSAFE, CUCKOO_MODEL_NOT_ALLOWED
 * @throws as {@link downloadModel} and {@link createManifest}
 */
export async function prepareModel(
  request: Omit<OpenModelRequest, 'device'>,
  places: ModelPlaces,
): Promise<{ folder: ModelFolder; manifest: Manifest; findings: LintFinding[] }> {
  assertModelName(request.model)
  const { model, dtype, kind, source } = request
  if (source.from !== 'hub') {
    const folder = await getLocalFolder(model, source)
    const inspected = await inspectModel(folder, { dtype, kind, revision: null })
    assertSafe(model, inspected.findings)
    return { folder, ...inspected }
  }
  const { onProgress, signal } = request
  const { folder, ...pinned } = await downloadModel({ ...toHubPlace(places), model, revision: source.revision, dtype, kind, onProgress, signal })
  const inspected = await inspectModel(folder, { dtype, kind, ...pinned })
  assertSafe(model, inspected.findings)
  if (places.allowedModelsFile !== undefined) await createAllowedModels(places.allowedModelsFile).assertAllowed(inspected.manifest, kind ?? null)
  return { folder, ...inspected }
}

/** The folder of a model that ships with cuckoo, or lies in a directory of models. @throws CUCKOO_MODEL_NOT_FOUND naming those there */
export async function getLocalFolder(model: string, source: { from: 'bundled' } | { from: 'folder'; directory: string }): Promise<ModelFolder> {
  const directory = source.from === 'bundled' ? bundledDirectory : resolve(source.directory)
  const folder = source.from === 'bundled' ? toBundledFolder(model) : { model, path: join(directory, model), refuseHardLinks: true }
  if ((await stat(folder.path).catch(() => null))?.isDirectory()) return folder
  const known = (await listModels(directory)).join(', ')
  throw modelNotFound({ model, where: source.from === 'bundled' ? 'the models that ship with cuckoo' : directory, known })
}

/** @throws CUCKOO_MODEL_UNSAFE for the first error */
export function assertSafe(model: string, findings: readonly LintFinding[]): void {
  const errors = findings.filter(({ severity }) => severity === 'error')
  const [first] = errors
  if (first !== undefined) throw modelUnsafe({ model, file: first.file, problem: first.problem, more: errors.length - 1 })
}

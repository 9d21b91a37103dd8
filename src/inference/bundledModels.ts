import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Engine } from '../domain/enginePort.ts'
import { createManifest } from './createManifest.ts'
import { findLayout } from './findLayout.ts'
import { listModelPaths, listModels, type ModelFolder } from './modelFolder.ts'

/** The folder of the models that ship with cuckoo. Weights are not compiled: the published package has them under src too. */
export const bundledDirectory = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './bundled' : '../../src/inference/bundled', import.meta.url))

/** A bundled model's folder. pnpm may hard-link its files from the package store. */
export function toBundledFolder(model: string): ModelFolder {
  return { model, path: join(bundledDirectory, model), refuseHardLinks: false }
}

/** Every bundled model with what it does, its dtypes, and the bytes of all its files that are used. */
export async function listBundledModels(): ReturnType<Engine['listBundledModels']> {
  const models: Awaited<ReturnType<Engine['listBundledModels']>> = []
  for (const model of await listModels(bundledDirectory)) {
    const folder = toBundledFolder(model)
    const modelPaths = await listModelPaths(folder)
    const dtypes = findLayout(modelPaths).listDtypes(modelPaths)
    const manifests = await Promise.all(dtypes.map((dtype) => createManifest(folder, { dtype, revision: null, paths: modelPaths })))
    const [first] = manifests
    if (first === undefined) continue
    const paths = new Set(manifests.flatMap(({ files }) => files.map(({ path }) => path)))
    const sizes = await Promise.all([...paths].map(async (path) => (await stat(join(folder.path, path))).size))
    models.push({ model, kind: first.kind, dtypes, bytes: sizes.reduce((sum, size) => sum + size, 0) })
  }
  return models
}

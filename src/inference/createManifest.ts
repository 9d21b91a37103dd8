import { posix } from 'node:path'
import type { Hash } from '../domain/hex.ts'
import type { Dtype, Manifest, ManifestFile } from '../domain/manifest.ts'
import type { LintFinding } from '../domain/modelCachePort.ts'
import type { ModelKind } from '../domain/taskKinds.ts'
import { findLayout } from './findLayout.ts'
import { lintModel } from './lintModel.ts'
import { getModelFile, hashFile, listModelPaths, type ModelFolder } from './modelFolder.ts'
import type { ModelPaths } from './modelLayout.ts'
import { type OnnxGraph, readOnnxGraph } from './onnxGraph.ts'

export interface ManifestOptions {
  dtype: Dtype
  /** what the model does, where its files do not tell */
  kind?: ModelKind | undefined
  /** 40-hex commit of a downloaded model, null for bundled models and local folders */
  revision: string | null
  /** hashes that were just computed, by path: files are not read twice */
  known?: ReadonlyMap<string, { bytes: number; sha256: Hash }>
  /** the model's files where they are known, as of a download: what else lies in the folder does not count */
  paths?: ModelPaths
}

/** Paths of a graph's external data relative to the model folder. */
export function toExternalFiles(graphFile: string, graph: OnnxGraph): string[] {
  return graph.externalData.map((location) => (location.startsWith('/') ? location : posix.join(posix.dirname(graphFile), location)))
}

/**
 * The manifest of a model folder for one dtype: every file that decides its answers with size and SHA-256, and the limits read
 * from its configuration.
 * @throws CUCKOO_MODEL_DTYPE_MISSING when the folder has no weights of that dtype, naming those it has
 * @throws CUCKOO_MODEL_FILE_MISSING, CUCKOO_MODEL_FILE_INVALID, CUCKOO_MODEL_FILE_ESCAPES for its files
 * @throws CUCKOO_MODEL_UNSUPPORTED when it does something that cuckoo has no task kind for
 */
export async function createManifest(folder: ModelFolder, options: ManifestOptions): Promise<Manifest> {
  return (await inspectModel(folder, options)).manifest
}

/** The manifest as {@link createManifest}, with what the linter says of the model's graphs. @throws as createManifest */
export async function inspectModel(folder: ModelFolder, options: ManifestOptions): Promise<{ manifest: Manifest; findings: LintFinding[] }> {
  const { model } = folder
  const { dtype, kind = null, revision, known } = options
  const paths = options.paths ?? (await listModelPaths(folder))
  const layout = findLayout(paths)
  const plan = await layout.plan(folder, paths, { dtype, kind })
  const graphs = new Map<string, OnnxGraph>()
  for (const file of plan.graphs) graphs.set(file, await readOnnxGraph(await getModelFile(folder, file), { model, file }))
  const external = [...graphs].flatMap(([file, graph]) => toExternalFiles(file, graph))
  const files: ManifestFile[] = []
  for (const path of [...new Set([...plan.files, ...external])].sort())
    files.push({ path, ...(known?.get(path) ?? (await hashFile(await getModelFile(folder, path)))) })
  const manifest: Manifest = { version: 1, model, revision, dtype, files, proof: 'none', ...(await layout.readTraits(folder, plan, graphs)) }
  return { manifest, findings: lintModel(manifest.kind, graphs) }
}

import type { Dtype, Manifest } from '../domain/manifest.ts'
import type { ModelKind } from '../domain/taskKinds.ts'
import type { ModelFolder } from './modelFolder.ts'
import type { OnnxGraph } from './onnxGraph.ts'

/** Ends of ONNX file names by dtype: DEFAULT_DTYPE_SUFFIX_MAPPING of transformers.js 4.3.1. */
export const dtypeSuffixes: Record<Dtype, string> = { fp32: '', fp16: '_fp16', q8: '_quantized', q4: '_q4', q4f16: '_q4f16' }

/** Paths relative to a model's folder, forward slashes: of a folder on disk, or of a repository on the hub. */
export type ModelPaths = ReadonlySet<string>

/** Which files of a model one dtype needs. */
export interface ModelPlan {
  /** null: only the graph's outputs tell */
  kind: ModelKind | null
  dtype: Dtype
  /** every file that decides the answers but for external data, which the graphs name */
  files: string[]
  /** the ONNX files among them */
  graphs: string[]
}

export type ModelTraits = Pick<Manifest, 'kind' | 'limits' | 'chatTemplate' | 'eosTokenIds' | 'pooling' | 'image'>

/** How the files of a family of models are laid out in their folder. */
export interface ModelLayout {
  matches(paths: ModelPaths): boolean
  /** Small files that a plan is made from: a download fetches them first. */
  listConfigFiles(paths: ModelPaths): string[]
  /** Dtypes that there are weights for. */
  listDtypes(paths: ModelPaths): Dtype[]
  /**
   * The files of one dtype. The folder holds those of {@link listConfigFiles} by now.
   * @throws CUCKOO_MODEL_DTYPE_MISSING, CUCKOO_MODEL_FILE_MISSING, CUCKOO_MODEL_UNSUPPORTED
   */
  plan(folder: ModelFolder, paths: ModelPaths, wanted: { dtype: Dtype; kind: ModelKind | null }): Promise<ModelPlan>
  /** What the manifest says of the model. The folder holds every file of the plan. @throws as {@link plan}; CUCKOO_MODEL_FILE_INVALID */
  readTraits(folder: ModelFolder, plan: ModelPlan, graphs: ReadonlyMap<string, OnnxGraph>): Promise<ModelTraits>
}

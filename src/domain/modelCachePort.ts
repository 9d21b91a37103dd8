import type { DownloadProgress, ModelSource } from './enginePort.ts'
import type { Hash } from './hex.ts'
import type { Dtype, Manifest } from './manifest.ts'
import type { ModelKind } from './taskKinds.ts'

/** What the linter found in a model's graphs. */
export interface LintFinding {
  /** a model with an error is not loaded; a warning says why its results cannot be screened */
  severity: 'error' | 'warning'
  rule: 'random' | 'loop' | 'domain' | 'external' | 'size'
  /** the ONNX file */
  file: string
  /** what stands where, without full stop */
  problem: string
}

/** A model of the hub at one commit, as it lies in the cache. */
export interface CachedModel {
  model: string
  /** 40-hex commit */
  revision: string
  /** branches and tags that stand for this commit on this machine */
  names: string[]
  /** dtypes that all weights are there for */
  dtypes: Dtype[]
  /** all files, those set aside and unfinished downloads included */
  bytes: number
  /** files that were altered and set aside */
  quarantined: number
  /** unix seconds */
  lastUsedAt: number
}

/** A model as a person names it. */
export interface WantedModel {
  /** `owner/model` */
  model: string
  dtype: Dtype
  kind?: ModelKind | undefined
  /** branch, tag or commit; null: the default branch */
  revision: string | null
}

export interface InspectedModel {
  manifest: Manifest
  digest: Hash
  findings: LintFinding[]
}

export interface PulledModel extends InspectedModel {
  /** where its files are */
  path: string
  /** bytes that came from the hub this time */
  downloadedBytes: number
  /** the commit that the branch stood for here before, where that is another one */
  previousRevision: string | null
}

/** A cached file that is not what the hub's listing of its commit says. */
export interface AlteredFile {
  path: string
  expected: string
  found: string
  /** it was fetched again; else it was set aside, and the next start fetches it */
  repaired: boolean
}

export interface VerifiedModel {
  model: string
  revision: string
  files: number
  bytes: number
  altered: AlteredFile[]
}

export interface PullHooks {
  onProgress?: ((progress: DownloadProgress) => void) | undefined
  signal?: AbortSignal | undefined
}

/** Models of the hub on this machine. Names are asserted: nothing leads out of the cache. */
export interface ModelCache {
  /** the folder of the cache; it may be moved as a whole */
  readonly directory: string
  /** null: only the disk limits it */
  readonly budgetBytes: number | null
  /** by model and last use */
  list(): Promise<CachedModel[]>
  /**
   * The commit that a branch or tag stands for on this machine: asked from the hub once, kept from then on.
   * @throws CUCKOO_HUB_OFFLINE, CUCKOO_HUB_UNREACHABLE, CUCKOO_HUB_MODEL_UNKNOWN
   */
  resolve(model: string, revision: string | null, signal?: AbortSignal): Promise<string>
  /**
   * Fetches what is missing of a model at the newest commit of its branch, checks it, and allows this machine's miners to load it.
   * @throws CUCKOO_MODEL_UNSAFE, CUCKOO_MODELS_DISK_FULL and what downloads throw
   */
  pull(wanted: WantedModel, hooks?: PullHooks): Promise<PulledModel>
  /**
   * The manifest of a model that is here, with what the linter says of it. Nothing is downloaded.
   * @throws CUCKOO_MODEL_NOT_FOUND, CUCKOO_HUB_OFFLINE
   */
  inspect(wanted: Omit<WantedModel, 'revision'> & { source: ModelSource }): Promise<InspectedModel>
  /**
   * Compares every cached file with the hashes of its commit; altered ones are set aside, or with `repair` fetched again.
   * @throws CUCKOO_MODEL_NOT_FOUND when `wanted` is not in the cache
   */
  verify(wanted: { model: string; revision: string | null } | null, options: PullHooks & { repair: boolean }): Promise<VerifiedModel[]>
  /**
   * Deletes a model, or one commit of it, and says what that frees. A revision may be a name, a commit or its first digits.
   * @throws CUCKOO_MODEL_NOT_FOUND; CUCKOO_MODEL_BUNDLED for models that ship with cuckoo
   */
  remove(wanted: { model: string; revision: string | null }, options: { dryRun: boolean }): Promise<CachedModel[]>
}

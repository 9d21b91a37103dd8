import { hashCanonical } from './canonical.ts'
import type { Hash } from './hex.ts'
import type { ImageScheduler } from './task.ts'
import type { ModelKind } from './taskKinds.ts'

export const dtypes = ['fp32', 'fp16', 'q8', 'q4', 'q4f16'] as const
export type Dtype = (typeof dtypes)[number]

export interface ManifestFile {
  /** relative to the model folder, forward slashes, no `..` */
  path: string
  bytes: number
  sha256: Hash
}

/**
 * Everything that decides what a model answers: its digest is what an assignment names, and signing under a digest is consent
 * to all of it.
 */
export interface Manifest {
  version: 1
  /** the name apps use, `owner/model` */
  model: string
  /** the hub's 40-hex commit, or null for bundled models and local folders (their files are pinned by hash all the same) */
  revision: string | null
  kind: ModelKind
  dtype: Dtype
  files: ManifestFile[]
  limits: {
    /** prompt plus output; of models that take no text 1 */
    contextTokens: number
    /** 0 where the output is no text */
    maxOutputTokens: number
    /** texts of one embedding task, images of one image task; 1 for the others */
    maxBatch: number
  }
  /** of image models only: what a request may ask for, and what it gets where it asks for nothing */
  image?: ImageTraits
  /** a chat template came with the tokenizer */
  chatTemplate: boolean
  /** token ids that end a text */
  eosTokenIds: number[]
  /** how hidden states become one vector; null for text */
  pooling: 'mean' | 'cls' | 'last' | null
  /** `none`: screened and paid, never slashed by a jury. A proof lane needs the canonical runtime, pinned by its own hash. */
  proof: 'none'
}

export interface ImageTraits {
  /** width and height are multiples of this */
  sizeStep: number
  maxPixels: number
  maxSteps: number
  width: number
  height: number
  steps: number
  guidance: number
  scheduler: ImageScheduler
  /** those its noise schedule and prediction type allow */
  schedulers: ImageScheduler[]
}

/** The manifest's digest, the bytes32 `manifest` of an assignment. */
export function toManifestDigest(manifest: Manifest): Hash {
  return hashCanonical(manifest)
}

/** Files of a manifest that turn text into token ids and back: all a coordinator needs of a model. */
export const tokenizerFiles = ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'] as const

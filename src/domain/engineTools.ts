import type { DeviceName, OpenModelRequest } from './enginePort.ts'
import type { Dtype } from './manifest.ts'
import type { ModelKind } from './taskKinds.ts'

/** A model measured on a device, beside the same work without cuckoo around it. Medians of the rounds. */
export interface BenchReport {
  model: string
  kind: ModelKind
  dtype: Dtype
  device: DeviceName
  deviceReason: string
  /** the work of one round, in words */
  task: string
  /** what is made: `perSecond` counts these */
  unit: 'token' | 'text' | 'image'
  /** through the engine: worker thread, queue, streamed tokens */
  engine: { msPerTask: number; perSecond: number }
  /** transformers.js or the ONNX runtime, called in this thread */
  bare: { msPerTask: number; perSecond: number }
  /** what the engine adds to one task: median of the rounds' differences */
  addedMs: number
  /** embeddings: texts per second of 16 tasks that wait together; null for other kinds */
  waitingPerSecond: number | null
  /** how late a timer of 1 ms of this thread came while the engine worked */
  eventLoopLagMs: { p50: number; p99: number }
  rounds: number
}

export interface BenchHooks {
  rounds: number
  signal?: AbortSignal
  /** rounds done */
  onRound?: (done: number) => void
}

/** A library of the ONNX runtime that CUDA needs and that the npm package leaves out. */
export interface CudaFile {
  /** absolute path, where the runtime looks for it */
  path: string
  /** its path in the package */
  entry: string
  present: boolean
}

/** What `installCuda` would fetch. */
export interface CudaPlan {
  /** version of the ONNX runtime, which is the libraries' too */
  version: string
  /** the package that holds the files */
  url: string
  bytes: number
  /** base64, as the feed names it */
  sha512: string
  /** where it is kept while it comes, and bytes that lie there from an earlier try */
  part: string
  partBytes: number
  files: CudaFile[]
}

export interface CudaSource {
  /** index of a NuGet feed; unless told the one that onnxruntime-node's own installer asks */
  feedUrl?: string | undefined
  signal?: AbortSignal
}

export interface CudaHooks {
  onProgress?: (receivedBytes: number, totalBytes: number) => void
  signal?: AbortSignal
}

/** A model of the hub that is known to run, and what it takes. Sizes are weights alone: parameters × bytes of one. */
export interface ModelSuggestion {
  model: string
  kind: ModelKind
  /** what it is good for, a few words */
  note: string
  millionParameters: number
  /** dtypes its repository has */
  dtypes: readonly Dtype[]
}

/** What miners' commands need of the engine's room besides running tasks. */
export interface EngineTools {
  /**
   * Speed of a model through the engine and without it.
   * @throws CUCKOO_MODEL_UNSUPPORTED for kinds without a standard task; what {@link Engine.openModel} throws
   */
  benchModel(request: OpenModelRequest, hooks: BenchHooks): Promise<BenchReport>
  /** what a person can do about a device that is not there */
  getDeviceFix(device: DeviceName): string
  /** @throws CUCKOO_DEVICE_UNAVAILABLE where CUDA cannot be had; CUCKOO_RUNTIME_SOURCE_UNREACHABLE */
  planCuda(options?: CudaSource): Promise<CudaPlan>
  /** Fetches what is missing, goes on where an earlier try stopped. @throws as `planCuda`; CUCKOO_RUNTIME_FILE_CORRUPT */
  installCuda(plan: CudaPlan, hooks?: CudaHooks): Promise<void>
  listSuggestions(): readonly ModelSuggestion[]
}

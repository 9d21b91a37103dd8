import type { Hash } from './hex.ts'
import type { Dtype, Manifest } from './manifest.ts'
import type { Media, MediaFile } from './media.ts'
import type {
  EmbeddingInput,
  EmbeddingOutput,
  EmbeddingParams,
  ImageInput,
  ImageOutput,
  ImageParams,
  PipelineContent,
  PipelineOutput,
  TextInput,
  TextOutput,
  TextParams,
} from './task.ts'
import type { MediaClass, ModelKind } from './taskKinds.ts'

/** `dml` is DirectML, Windows only. */
export const deviceNames = ['cpu', 'webgpu', 'cuda', 'dml'] as const
export type DeviceName = (typeof deviceNames)[number]

export interface DeviceInfo {
  device: DeviceName
  available: boolean
  /** why it is, or is not, there */
  detail: string
  /** it computes in single precision only; absent: in both */
  lacksHalf?: boolean
}

/** Where a model's files are: shipped with cuckoo, in a folder `<dir>/<model>`, or on the hub at a commit. */
export type ModelSource = { from: 'bundled' } | { from: 'folder'; directory: string } | { from: 'hub'; revision: string | null }

export interface DownloadProgress {
  file: string
  receivedBytes: number
  totalBytes: number
  /** all files of the model that were missing; several come at a time */
  overall: { receivedBytes: number; totalBytes: number }
}

export interface OpenModelRequest {
  /** `owner/model` */
  model: string
  source: ModelSource
  dtype: Dtype
  /** where the files do not tell what a model does, as with T5, which translates or sums up */
  kind?: ModelKind
  /** `auto` picks the best that is there and says why; a named one is used or refused, never replaced */
  device: DeviceName | 'auto'
  onProgress?: (progress: DownloadProgress) => void
  signal?: AbortSignal
  /** absent: runs that do not end are waited for */
  watch?: RunWatch
}

/** What hears of runs that a model's worker does not let go of although they were aborted, and of loading that does not end. A run that was not aborted is never too long. */
export interface RunWatch {
  /** how long a run, or loading, may go on after it was aborted, ms */
  letGoMs: number
  /** how long the model may load, ms, files that are there already; absent: as long as it takes */
  loadMs?: number
  /** true: one goes on for longer, and the model refuses all runs with CUCKOO_INFERENCE_STUCK; false: it has ended after all */
  onStuck(isStuck: boolean): void
}

export interface TextRun {
  output: TextOutput
  /** ms from start to the first token, and to the end */
  firstTokenMs: number
  totalMs: number
}

export interface ImageRun {
  output: ImageOutput
  /** the PNGs that `output` names */
  files: MediaFile[]
  totalMs: number
}

export interface PipelineRun {
  output: PipelineOutput
  /** the media that `output` names */
  files: MediaFile[]
  totalMs: number
}

export interface RunHooks {
  signal?: AbortSignal
  /**
   * Awaited when the model is free for this run, before its worker is given it; a run that was aborted by then never begins. `letGo`
   * settles when the worker has let go of the run, which after an abort is later than the run's own rejection, and rejects with what
   * ended it.
   */
  onBegin?(letGo: Promise<unknown>): Promise<void>
}

export interface ImageHooks extends RunHooks {
  onStep?: (done: number, steps: number) => void
  onFile?: (file: MediaFile) => void
}

/** A loaded model in its worker. Runs are queued one after another; those whose result does not depend on it may share a batch. */
export interface OpenModel {
  readonly manifest: Manifest
  readonly manifestDigest: Hash
  readonly device: DeviceName
  readonly deviceReason: string
  /**
   * Generates from prompt token ids. `onTokens` sees ids as they are made. Ends early with the signal's reason on abort.
   */
  generateText(input: TextInput, params: TextParams, seed: bigint, hooks?: RunHooks & { onTokens?: (tokenIds: number[]) => void }): Promise<TextRun>
  embed(input: EmbeddingInput, params: EmbeddingParams, hooks?: RunHooks): Promise<{ output: EmbeddingOutput; totalMs: number }>
  /**
   * `onStep`: steps of denoising done, of all images of the task together, four times a second at most. `onFile`: each image that is
   * too large to come with the result ({@link carriedLimits}) as soon as it is made.
   */
  generateImages(input: ImageInput, params: ImageParams, seed: bigint, hooks?: ImageHooks): Promise<ImageRun>
  /** `media`: the bytes that the content names, null where it names none */
  runPipeline(content: PipelineContent, media: Uint8Array | null, hooks?: RunHooks): Promise<PipelineRun>
  /** of models that take token ids: text and embeddings */
  readonly tokenizer: OpenTokenizer
  /** bytes of one of the manifest's files */
  readFile(path: string): Promise<Uint8Array>
  /** Resolves when it is out of the memory, or given up because a run in it does not end: see {@link RunWatch}. */
  dispose(): Promise<void>
}

export interface Engine {
  listDevices(): Promise<DeviceInfo[]>
  /** models shipped with cuckoo: name, kind and dtypes */
  listBundledModels(): Promise<{ model: string; kind: Manifest['kind']; dtypes: Dtype[]; bytes: number }[]>
  openModel(request: OpenModelRequest): Promise<OpenModel>
  /** ends all workers */
  dispose(): Promise<void>
}

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant'
  content: string
}

/** Text to token ids and back, off the event loop and bounded in time: the files may come from a stranger. */
export interface OpenTokenizer {
  readonly hasChatTemplate: boolean
  /** ids of the chat template's text with the generation prompt; `date` (YYYY-MM-DD) is what a template's clock shows */
  encodeChat(messages: ChatMessage[], date: string): Promise<number[]>
  /** ids of plain text with the model's own start token */
  encodeText(text: string): Promise<number[]>
  /** text of `tokenIds`, special tokens left out */
  decode(tokenIds: number[]): Promise<string>
  /** text piece by piece: each call returns what became certain (a character split over tokens is held back) */
  createDecoder(): { push(tokenIds: number[]): Promise<string>; flush(): Promise<string> }
  dispose(): Promise<void>
}

export interface Tokenizers {
  /** `files`: bytes by path, those of {@link tokenizerFiles} that the manifest has */
  openTokenizer(files: ReadonlyMap<string, Uint8Array>): Promise<OpenTokenizer>
  dispose(): Promise<void>
}

/** Looks at media of strangers without decoding them: type and size from the header, the hash over all bytes. */
export interface MediaReader {
  /** What the first bytes of `data` say that it is, null for no type that is read. Whether the rest is whole, only {@link read} tells. */
  findClass(data: Uint8Array): MediaClass | null
  /**
   * What `data` is.
   * @throws CUCKOO_MEDIA_UNKNOWN when it is no medium of this class; CUCKOO_MEDIA_TOO_LARGE when it would decode to more than the limits
   */
  read(data: Uint8Array, wanted: MediaClass, limits: { maxPixels: number; maxSeconds: number }): Promise<Media>
}

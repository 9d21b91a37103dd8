import { sha256 } from '../domain/canonical.ts'
import type { OpenModel } from '../domain/enginePort.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { Media } from '../domain/media.ts'
import { type ImageParams, type PipelineContent, type PipelineInput, type PipelineShapes, toMaxUnits } from '../domain/task.ts'
import { type PipelineKind, taskKindTraits } from '../domain/taskKinds.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import { minerModelUnusable } from '../errors/miner.ts'

const text = 'Once upon a time there was a small bird.'
const outputTokens = 16
/** The first run pays for lazily made kernels and buffers, so the second one is measured. */
const runs = 2
const blankSide = 64
const silence = { seconds: 1, sampleRate: 16_000 }

/**
 * Paid units per second (see `TaskUnit`) of the second of two small runs, what goes in included: 16 tokens, one text, one step of an
 * image of the model's own size, a blank image, a second of silence. 0: it made none, or does not take such an input.
 *
 * @throws CUCKOO_MINER_MODEL_UNUSABLE when the model does not run; the engine's own errors pass
 */
export async function measureUnitsPerSecond(model: OpenModel, signal?: AbortSignal): Promise<number> {
  try {
    let measured = 0
    for (let run = 0; run < runs; run++) measured = await runOnce(model, signal === undefined ? {} : { signal })
    return measured
  } catch (error) {
    if (error instanceof CuckooError || signal?.aborted) throw error
    throw minerModelUnusable({ model: model.manifest.model, reason: error instanceof Error ? error.message : String(error) }, { cause: error })
  }
}

async function runOnce(model: OpenModel, hooks: { signal?: AbortSignal }): Promise<number> {
  const { kind } = model.manifest
  if (kind === 'text') return runText(model, hooks)
  if (kind === 'embedding') return runEmbedding(model, hooks)
  if (kind === 'image') return runImage(model, hooks)
  return runPipeline(model, kind, hooks)
}

async function encodeWarmUpText({ tokenizer, manifest }: OpenModel): Promise<number[]> {
  return (await tokenizer.encodeText(text)).slice(0, Math.max(1, manifest.limits.contextTokens - 1))
}

async function runText(model: OpenModel, hooks: { signal?: AbortSignal }): Promise<number> {
  const { limits } = model.manifest
  const tokenIds = await encodeWarmUpText(model)
  const maxTokens = Math.max(1, Math.min(outputTokens, limits.maxOutputTokens, limits.contextTokens - tokenIds.length))
  const params = { maxTokens, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' }
  const { output, totalMs } = await model.generateText({ tokenIds }, params, 0n, hooks)
  return toRate(output.tokenIds.length, totalMs)
}

async function runEmbedding(model: OpenModel, hooks: { signal?: AbortSignal }): Promise<number> {
  const tokenIds = await encodeWarmUpText(model)
  const { totalMs } = await model.embed({ tokenIds: [tokenIds] }, { normalize: true }, hooks)
  return toRate(tokenIds.length, totalMs)
}

async function runImage(model: OpenModel, hooks: { signal?: AbortSignal }): Promise<number> {
  const traits = model.manifest.image
  if (traits === undefined) return 0
  const { width, height, guidance, scheduler } = traits
  const params: ImageParams = { count: 1, width, height, steps: 1, guidance, scheduler }
  const input = { prompt: text, negativePrompt: '' }
  const { totalMs } = await model.generateImages(input, params, 0n, hooks)
  return toRate(Number(toMaxUnits({ kind: 'image', input, params })), totalMs)
}

async function runPipeline(model: OpenModel, kind: PipelineKind, hooks: { signal?: AbortSignal }): Promise<number> {
  const { input, data } = await createInput(kind)
  const content = { kind, input, params: createParams(model.manifest)[kind] } as PipelineContent
  try {
    const { totalMs } = await model.runPipeline(content, data, hooks)
    return toRate(Number(toMaxUnits(content)), totalMs)
  } catch (error) {
    // A model that needs to be told a language or a voice refuses this input and takes that of its tasks.
    if (error instanceof CuckooError && error.kind === 'usage') return 0
    throw error
  }
}

async function createInput(kind: PipelineKind): Promise<{ input: PipelineInput; data: Uint8Array | null }> {
  const { takes } = taskKindTraits[kind]
  const file = takes.media === 'image' ? await createBlankImage() : takes.media === 'audio' ? createSilence() : null
  const input: PipelineInput = {
    ...(takes.text && { text }),
    ...(takes.labels && { labels: ['animals', 'weather'] }),
    ...(file !== null && { media: file.media }),
  }
  return { input, data: file?.data ?? null }
}

function createParams({ limits }: Manifest): { [K in PipelineKind]: PipelineShapes[K]['params'] } {
  const maxTokens = Math.max(1, Math.min(outputTokens, limits.maxOutputTokens))
  return {
    transcription: { language: null, task: 'transcribe', timestamps: 'none' },
    speech: { voice: null, speed: 1 },
    translation: { source: null, target: null, maxTokens },
    summarization: { maxTokens },
    'text-classification': { topK: 1 },
    'zero-shot-classification': { multiLabel: false },
    'token-classification': {},
    'image-classification': { topK: 1 },
    'object-detection': { threshold: 0.5 },
    captioning: { maxTokens },
    'depth-estimation': {},
    'image-to-image': {},
  }
}

async function createBlankImage(): Promise<{ media: Media; data: Uint8Array }> {
  const { encode } = await import('fast-png')
  const data = encode({ width: blankSide, height: blankSide, channels: 3, data: new Uint8Array(blankSide * blankSide * 3).fill(128) })
  return { media: { sha256: sha256(data), bytes: data.length, type: 'image/png', width: blankSide, height: blankSide }, data }
}

/** A WAV of 16-bit mono PCM: 44 bytes of header (Microsoft, "Multimedia Programming Interface and Data Specifications 1.0", 1991), then zeros. */
function createSilence(): { media: Media; data: Uint8Array } {
  const { seconds, sampleRate } = silence
  const dataBytes = seconds * sampleRate * 2
  const data = Buffer.alloc(44 + dataBytes)
  data.write('RIFF', 0)
  data.writeUInt32LE(36 + dataBytes, 4)
  data.write('WAVEfmt ', 8)
  data.writeUInt32LE(16, 16)
  data.writeUInt16LE(1, 20)
  data.writeUInt16LE(1, 22)
  data.writeUInt32LE(sampleRate, 24)
  data.writeUInt32LE(sampleRate * 2, 28)
  data.writeUInt16LE(2, 32)
  data.writeUInt16LE(16, 34)
  data.write('data', 36)
  data.writeUInt32LE(dataBytes, 40)
  return { media: { sha256: sha256(data), bytes: data.length, type: 'audio/wav', durationMs: seconds * 1_000 }, data }
}

function toRate(units: number, totalMs: number): number {
  return totalMs > 0 ? Math.round((units / totalMs) * 1e6) / 1e3 : 0
}

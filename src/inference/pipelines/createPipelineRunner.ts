import { isDeepStrictEqual } from 'node:util'
import { RawImage } from '@huggingface/transformers'
import type { PipelineRun } from '../../domain/enginePort.ts'
import type { Media } from '../../domain/media.ts'
import type { PipelineContent } from '../../domain/task.ts'
import { type PipelineKind, type TaskKindTraits, taskKindTraits } from '../../domain/taskKinds.ts'
import { CuckooError } from '../../errors/cuckooError.ts'
import { inferenceFailed, inferenceInputInvalid } from '../../errors/inference.ts'
import { type ModelToLoad, toReason } from '../loadModel.ts'
import { createMediaReader } from '../media/createMediaReader.ts'
import { decodeAudio } from '../media/decodeAudio.ts'
import { decodeImage } from '../media/decodeImage.ts'
import { loadPipeline } from './loadPipeline.ts'
import type { LoadedPipeline, PipelineCall, PipelineRow } from './pipelineRow.ts'
import { pipelineTable } from './pipelineTable.ts'

export interface PipelineRunner {
  /** null when it was cancelled */
  run(content: PipelineContent, media: Uint8Array | null, isCancelled: () => boolean): Promise<PipelineRun | null>
  dispose(): Promise<void>
}

/** Ends a run from within: the library's loops have no other door. */
class RunCancelled extends Error {}

/**
 * The runner of a model of one pipeline kind: its table row over transformers.js' pipeline, one task at a time. It is asked
 * whether it was cancelled before every pass through the model and between the parts of an audio.
 * @throws CUCKOO_MODEL_LOAD_FAILED when the runtime or transformers.js refuses the model
 */
export async function createPipelineRunner(request: ModelToLoad & { kind: PipelineKind }): Promise<PipelineRunner> {
  const { manifest } = request
  let isCancelled = () => false
  const assertRunning = () => {
    if (isCancelled()) throw new RunCancelled()
  }
  const { model, dispose } = await loadPipeline(request, assertRunning)
  return {
    run: async (content, data, isRunCancelled) => {
      const startedAt = performance.now()
      isCancelled = isRunCancelled
      const row = pipelineTable[content.kind] as PipelineRow<PipelineKind>
      try {
        assertRunning()
        const call = { manifest, model, params: content.params, ...(await prepareInput(content, data, model, assertRunning)) }
        const { output, files = [] } = await row.run(call)
        return { output, files, totalMs: performance.now() - startedAt }
      } catch (error) {
        if (error instanceof RunCancelled) return null
        if (error instanceof CuckooError) throw error
        throw inferenceFailed({ model: manifest.model, reason: toReason(error) }, { cause: error })
      }
    },
    dispose,
  }
}

type PreparedInput = Pick<PipelineCall<PipelineKind>, 'text' | 'labels' | 'image' | 'audio'>

/** @throws CUCKOO_INFERENCE_INPUT_INVALID; CUCKOO_MEDIA_… for media that are none, too large or cut */
async function prepareInput(content: PipelineContent, data: Uint8Array | null, model: LoadedPipeline, assertRunning: () => void): Promise<PreparedInput> {
  const { takes, limits } = taskKindTraits[content.kind]
  const { text = '', labels = [], media } = content.input
  if (takes.text && (text.trim() === '' || text.length > limits.maxCharacters))
    throw inferenceInputInvalid({ problem: `the text has ${text.length} characters, 1 to ${limits.maxCharacters} that are not all spaces are taken` })
  if (takes.labels && (labels.length === 0 || labels.some((label) => label.trim() === '')))
    throw inferenceInputInvalid({ problem: 'it has no labels, or an empty one' })
  const prepared: PreparedInput = { text, labels, image: new RawImage(new Uint8ClampedArray(3), 1, 1, 3), audio: new Float32Array(0) }
  if (takes.media === null) return prepared
  if (media === undefined || data === null) throw inferenceInputInvalid({ problem: `${takes.media === 'image' ? 'the image' : 'the audio'} is missing` })
  const found = await createMediaReader().read(data, takes.media, limits)
  // All of it: what the task says of its media is what it pays by.
  if (!isDeepStrictEqual(found, media)) throw inferenceInputInvalid({ problem: 'the media are not those that the task names' })
  return { ...prepared, ...(await decodeMedia(found, data, limits, model, assertRunning)) }
}

async function decodeMedia(
  media: Media,
  data: Uint8Array,
  { maxPixels, maxSeconds }: TaskKindTraits['limits'],
  model: LoadedPipeline,
  assertRunning: () => void,
): Promise<Partial<PreparedInput>> {
  if ('width' in media) {
    const { data: pixels, width, height } = await decodeImage(data, maxPixels)
    return { image: new RawImage(pixels, width, height, 3) }
  }
  const sampleRate = Number(model.preprocessor.sampling_rate ?? 16_000)
  return { audio: await decodeAudio(media.type, data, { sampleRate, maxSeconds, assertRunning }) }
}

import type { PreTrainedModel, Tensor } from '@huggingface/transformers'
import type { PipelineShapes, TimedText } from '../../domain/task.ts'
import { modelLacksFeature } from '../../errors/inference.ts'
import type { Reading } from '../assertFinite.ts'
import { cutAtSilence } from './cutAtSilence.ts'
import { encoderDecoder, type Json, mediaFiles, type PipelineCall, type PipelineRow, singleGraph, textFiles } from './pipelineRow.ts'

type Call = PipelineCall<'transcription'>
type Output = PipelineShapes['transcription']['output']

/** Models without timestamps hear this much at a time, as whisper does. */
const maxPieceSeconds = 30
/** Moonshine writes at most six tokens a second (Jeffries et al. 2024, section 4.2). */
const moonshineTokensPerSecond = 6

/**
 * Speech as text. Whisper hears 30 s at a time with 5 s of overlap, which its tokens join again; it knows languages, translates
 * into English, and times segments, and words where its export names alignment heads and gives cross attentions. Moonshine and
 * CTC models give text alone.
 */
export const transcription: PipelineRow<'transcription'> = {
  task: 'automatic-speech-recognition',
  pipeline: 'AutomaticSpeechRecognitionPipeline',
  variants: [
    { architectures: /^((Lite)?Whisper|Moonshine)ForConditionalGeneration$/, graphs: encoderDecoder, model: 'AutoModelForSpeechSeq2Seq' },
    { architectures: /ForCTC$/, graphs: singleGraph, model: 'AutoModelForCTC' },
  ],
  files: [...mediaFiles, ...textFiles],
  generates: true,
  reads: toReadings,
  prepare: cropAttention,
  run: async (call) => ({ output: isWhisper(call) ? await runWhisper(call) : await runPlain(call) }),
}

/** The logits; and the attention that tells when a word was said, of the layers that a whisper's export names for that. */
function toReadings({ alignment_heads }: Json): Record<string, Reading> {
  const layers = Array.isArray(alignment_heads) ? alignment_heads.map(([layer]: number[]) => layer) : []
  return { logits: 'scores', ...Object.fromEntries(layers.map((layer) => [`cross_attentions.${layer}`, 'values'])) }
}

/**
 * For word timestamps transformers.js 4.3.1 crops the cross attentions to the audio's mel frames; they have one column for two of them,
 * as Python's `_extract_token_timestamps` knows (`num_frames // 2`): else short audio is aligned over the silence behind it too.
 */
function cropAttention(model: PreTrainedModel): void {
  const generate = model.generate.bind(model)
  model.generate = (options) => {
    const { num_frames } = options as { num_frames?: number }
    return generate(num_frames === undefined ? options : { ...options, num_frames: Math.floor(num_frames / 2) })
  }
}

function isWhisper({ model }: Call): boolean {
  return /whisper/.test(String(model.config.model_type))
}

function toSampleRate({ model }: Call): number {
  return Number(model.preprocessor.sampling_rate ?? 16_000)
}

function refuse({ manifest }: Call, feature: string, available: string): never {
  throw modelLacksFeature({ model: manifest.model, feature, available })
}

async function runPlain(call: Call): Promise<Output> {
  const { params, audio, model } = call
  if (params.timestamps !== 'none') refuse(call, `${params.timestamps} timestamps`, 'text without timestamps')
  if (params.language !== null || params.task !== 'transcribe') refuse(call, 'a choice of language or task', 'transcription of its own language')
  const sampleRate = toSampleRate(call)
  const texts: string[] = []
  for (const piece of cutAtSilence(audio, sampleRate, maxPieceSeconds)) {
    const max_new_tokens = Math.max(1, Math.floor((piece.length / sampleRate) * moonshineTokensPerSecond))
    const { text } = (await model.call(piece, { max_new_tokens, do_sample: false, num_beams: 1 })) as { text: string }
    texts.push(text.trim())
  }
  return { text: texts.filter((text) => text !== '').join(' '), segments: [], words: [] }
}

async function runWhisper(call: Call): Promise<Output> {
  const { audio, model, params } = call
  assertTimestamps(call)
  const spoken = await toSpokenOptions(call)
  const chunkSeconds = Number(model.preprocessor.chunk_length ?? maxPieceSeconds)
  const seconds = audio.length / toSampleRate(call)
  // Half of the decoder's length: what whisper's authors let a window write (openai/whisper, decoding.py, sample_len).
  const max_new_tokens = Math.floor(Number(model.config.max_target_positions ?? 448) / 2)
  const result = await model.call(audio, {
    ...spoken,
    ...(seconds > chunkSeconds && { chunk_length_s: chunkSeconds }),
    return_timestamps: { none: false, segment: true, word: 'word' }[params.timestamps],
    max_new_tokens,
    do_sample: false,
    num_beams: 1,
  })
  const { text, chunks = [] } = result as { text: string; chunks?: { text: string; timestamp: [number, number | null] }[] }
  let lastMs = 0
  const timed = chunks.map((chunk): TimedText => {
    // A model may name times in the silence that fills its window up, behind the audio.
    const [startMs, endMs] = [chunk.timestamp[0], chunk.timestamp[1] ?? seconds].map((time) => toMilliseconds(Math.min(time, seconds))) as [number, number]
    // Nor do windows that overlap agree to the millisecond: transformers.js 4.3.1 joins their words with a tolerance of 0.1 s.
    lastMs = Math.max(lastMs, startMs)
    return { startMs: lastMs, endMs: Math.max(lastMs, endMs), text: chunk.text.trim() }
  })
  return { text: text.trim(), segments: params.timestamps === 'segment' ? timed : [], words: params.timestamps === 'word' ? timed : [] }
}

function toMilliseconds(seconds: number): number {
  return Math.max(0, Math.round(seconds * 1_000))
}

/** @throws CUCKOO_INFERENCE_FEATURE_MISSING when the model cannot time what is asked for */
function assertTimestamps(call: Call): void {
  const { generation, outputs } = call.model
  const { timestamps } = call.params
  const canSegment = Number.isInteger(generation.no_timestamps_token_id)
  const canWord = canSegment && Array.isArray(generation.alignment_heads) && outputs.some((name) => name.startsWith('cross_attentions'))
  if (timestamps === 'none' || (timestamps === 'segment' ? canSegment : canWord)) return
  refuse(call, `${timestamps} timestamps`, canSegment ? 'segment timestamps' : 'text without timestamps')
}

/** Language and task in the words of transformers.js: none for a model of English alone. */
async function toSpokenOptions(call: Call): Promise<{ language?: string; task?: string }> {
  const { params, model } = call
  if (model.generation.is_multilingual !== true) {
    if (params.language !== null && params.language !== 'en') refuse(call, `the language ${params.language}`, 'en')
    if (params.task !== 'transcribe') refuse(call, 'translation', 'transcription')
    return {}
  }
  const known = Object.keys((model.generation.lang_to_id ?? {}) as Record<string, number>).map((token) => token.slice(2, -2))
  const tasks = (model.generation.task_to_id ?? {}) as Record<string, number>
  if (params.task === 'translate' && tasks.translate === undefined) refuse(call, 'translation', 'transcription')
  const language = params.language === null ? await detectLanguage(call) : (params.language.split(/[-_]/)[0] as string).toLowerCase()
  if (!known.includes(language)) refuse(call, `the language ${params.language}`, known.join(', '))
  return { language, task: params.task }
}

/** The language whose token is likeliest first, as openai/whisper's `detect_language`; transformers.js 4.3.1 takes English. */
async function detectLanguage({ model, audio }: Call): Promise<string> {
  const { Tensor } = await import('@huggingface/transformers')
  const start = Number(model.generation.decoder_start_token_id ?? model.config.decoder_start_token_id)
  const features = await model.extractFeatures(audio)
  const { logits } = await model.forward({ ...features, decoder_input_ids: new Tensor('int64', [BigInt(start)], [1, 1]) })
  const scores = (logits as Tensor).data as Float32Array
  const languages = Object.entries(model.generation.lang_to_id as Record<string, number>)
  const likeliest = languages.reduce((best, language) => ((scores[language[1]] ?? -Infinity) > (scores[best[1]] ?? -Infinity) ? language : best))
  return likeliest[0].slice(2, -2)
}

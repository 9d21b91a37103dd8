import { kindSchemas, type OutputOf } from '../api/kindSchemas.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { ImageMedia } from '../domain/media.ts'
import {
  type EmbeddingInput,
  type EmbeddingOutput,
  finishReasons,
  type ImageOutput,
  type ImageParams,
  type PipelineInput,
  type PipelineShapes,
  type ScoredLabel,
  type TaskContent,
  type TaskOutput,
  type TextOutput,
  type TextParams,
  type TimedText,
} from '../domain/task.ts'
import type { PipelineKind, TaskKind } from '../domain/taskKinds.ts'

/** Makes the error that a broken result ends with. */
type Refuse = (problem: string) => Error

interface Claim {
  content: TaskContent
  output: TaskOutput
  manifest: Manifest
  finishReason: number
  refuse: Refuse
}
type Check<K extends TaskKind> = (output: OutputOf<K>, content: { input: never; params: never }, claim: Claim) => void

type PipelineCheck<K extends PipelineKind> = (
  output: PipelineShapes[K]['output'],
  content: { input: PipelineInput; params: PipelineShapes[K]['params'] },
  refuse: Refuse,
) => void

/**
 * Checks that an output is one that its task can have: of its kind, as many parts as were asked for, inside the input, with its
 * finish reason. Whether it is the right one only a second run tells.
 * @throws what `refuse` makes
 */
export function assertOutput(claim: Claim): void {
  const { content, output, finishReason, refuse } = claim
  const parsed = kindSchemas[content.kind].output.safeParse(output)
  if (!parsed.success) throw refuse(`its output is not that of a task of kind ${content.kind}`)
  if (content.kind !== 'chat' && content.kind !== 'completion' && finishReason !== finishReasons.none)
    throw refuse(`its finish reason ${finishReason} is not that of a task of kind ${content.kind}`)
  checks[content.kind](output as never, content as never, claim as never)
}

const pipelineChecks: { readonly [K in PipelineKind]: PipelineCheck<K> } = {
  transcription({ segments, words }, { input, params }, refuse) {
    const durationMs = input.media !== undefined && 'durationMs' in input.media ? input.media.durationMs : 0
    if (params.timestamps !== 'word' && words.length > 0) throw refuse('it has words, which were not asked for')
    if (params.timestamps === 'none' && segments.length > 0) throw refuse('it has segments, which were not asked for')
    assertTimes('segment', segments, durationMs, refuse)
    assertTimes('word', words, durationMs, refuse)
  },
  speech({ audio }, _, refuse) {
    if (audio.type !== 'audio/wav') throw refuse(`its audio is ${audio.type}, not audio/wav`)
  },
  translation: () => undefined,
  summarization: () => undefined,
  'text-classification': ({ labels }, { params }, refuse) => assertLabels(labels, params.topK, refuse),
  'zero-shot-classification'({ labels }, { input }, refuse) {
    const asked = input.labels ?? []
    assertLabels(labels, asked.length, refuse)
    const foreign = labels.find(({ label }) => !asked.includes(label))
    if (foreign !== undefined) throw refuse(`its label '${foreign.label.slice(0, 100)}' was not asked for`)
  },
  'token-classification'({ entities }, { input }, refuse) {
    const { length } = input.text ?? ''
    const broken = entities.findIndex(({ start, end }) => start >= end || end > length)
    if (broken >= 0) throw refuse(`its entity ${broken} is not inside the text`)
  },
  'image-classification': ({ labels }, { params }, refuse) => assertLabels(labels, params.topK, refuse),
  'object-detection'({ objects }, { input, params }, refuse) {
    const { width, height } = input.media as ImageMedia
    objects.forEach(({ box, score }, index) => {
      if (box.left > box.right || box.top > box.bottom || box.right > width || box.bottom > height) throw refuse(`its box ${index} is not inside the image`)
      if (score < params.threshold) throw refuse(`its object ${index} has the score ${score}, under ${params.threshold}`)
    })
  },
  captioning: () => undefined,
  'depth-estimation'({ image }, { input }, refuse) {
    const { width, height } = input.media as ImageMedia
    assertPng(image, { width, height }, refuse)
  },
  'image-to-image': ({ image }, _, refuse) => assertPng(image, image, refuse),
}

const checks: { readonly [K in TaskKind]: Check<K> } = {
  chat: assertText,
  completion: assertText,
  embedding: assertEmbeddings,
  image: assertImages,
  ...(Object.fromEntries(
    Object.entries(pipelineChecks).map(([kind, check]) => [kind, (output: never, content: never, { refuse }: Claim) => check(output, content, refuse)]),
  ) as unknown as { readonly [K in PipelineKind]: Check<K> }),
}

function assertText({ tokenIds, finishReason }: TextOutput, { params }: { params: TextParams }, { finishReason: signed, manifest, refuse }: Claim): void {
  const { maxTokens, stop } = params
  if (signed !== finishReasons[finishReason]) throw refuse(`its finish reason ${signed} is not '${finishReason}'`)
  if (tokenIds.length > maxTokens) throw refuse(`${tokenIds.length} tokens are more than the ${maxTokens} asked for`)
  if (finishReason === 'length' && tokenIds.length < maxTokens) throw refuse(`it says 'length' after ${tokenIds.length} of ${maxTokens} tokens`)
  const isStopPossible = stop.length > 0 || (manifest.eosTokenIds.length > 0 && tokenIds.length < maxTokens)
  if (finishReason === 'stop' && !isStopPossible) throw refuse("it says 'stop', and nothing could have stopped it")
  // A token that ends a text is no part of the output: the engine leaves it out.
  const end = tokenIds.find((id) => manifest.eosTokenIds.includes(id))
  if (end !== undefined) throw refuse(`it holds the token ${end}, which ends a text`)
}

function assertEmbeddings({ embeddings, dimensions }: EmbeddingOutput, { input }: { input: EmbeddingInput }, { refuse }: Claim): void {
  const texts = input.tokenIds.length
  if (embeddings.length !== texts) throw refuse(`it has ${embeddings.length} vectors for ${texts} texts`)
  embeddings.forEach((text, index) => {
    const bytes = Buffer.from(text, 'base64')
    if (bytes.length !== 4 * dimensions || bytes.toString('base64') !== text) throw refuse(`vector ${index} is not ${dimensions} float32 in base64`)
    for (let offset = 0; offset < bytes.length; offset += 4)
      if (!Number.isFinite(bytes.readFloatLE(offset))) throw refuse(`vector ${index} holds a value that is not a finite number`)
  })
}

function assertImages({ images }: ImageOutput, { params }: { params: ImageParams }, { refuse }: Claim): void {
  if (images.length !== params.count) throw refuse(`it has ${images.length} images for ${params.count}`)
  for (const image of images) assertPng(image, params, refuse)
}

function assertPng(image: ImageMedia, { width, height }: { width: number; height: number }, refuse: Refuse): void {
  if (image.type !== 'image/png') throw refuse(`its image is ${image.type}, not image/png`)
  if (image.width !== width || image.height !== height) throw refuse(`its image has ${image.width} by ${image.height} pixels, not ${width} by ${height}`)
}

function assertLabels(labels: readonly ScoredLabel[], most: number, refuse: Refuse): void {
  if (labels.length === 0 || labels.length > most) throw refuse(`it has ${labels.length} labels, 1 to ${most} were asked for`)
  if (new Set(labels.map(({ label }) => label)).size < labels.length) throw refuse('it gives a label twice')
}

function assertTimes(what: string, texts: readonly TimedText[], durationMs: number, refuse: Refuse): void {
  let lastMs = 0
  texts.forEach(({ startMs, endMs }, index) => {
    if (startMs < lastMs || endMs < startMs || endMs > durationMs) throw refuse(`its ${what} ${index} is not in order, or not inside the audio`)
    lastMs = startMs
  })
}

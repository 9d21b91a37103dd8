import type { ImageTraits, Manifest } from '../domain/manifest.ts'
import type { Media } from '../domain/media.ts'
import { type EmbeddingInput, type ImageInput, type ImageParams, isPipelineContent, type PipelineContent, type TaskContent } from '../domain/task.ts'
import { type TaskKindTraits, taskKindTraits } from '../domain/taskKinds.ts'
import { assignmentKindMismatch, assignmentOverLimits, assignmentUnsupported } from '../errors/miner.ts'

/**
 * Throws unless a model with this manifest can do the task: its kind, what the registry and the manifest allow. Each is the
 * request's fault, so no other miner could do it either.
 *
 * @throws CUCKOO_MINER_ASSIGNMENT_KIND_MISMATCH when the model does something else
 * @throws CUCKOO_MINER_ASSIGNMENT_OVER_LIMITS when the task asks for more than the registry or the manifest allows
 * @throws CUCKOO_MINER_ASSIGNMENT_UNSUPPORTED when an image has a size or scheduler that the model does not do
 */
export function assertFits(content: TaskContent, { kind, limits, image }: Manifest): void {
  const traits = taskKindTraits[content.kind]
  if (traits.modelKind !== kind) throw assignmentKindMismatch({ kind: content.kind, modelKind: kind })
  if (content.kind === 'embedding') assertTextsFit(content.input, limits)
  else if (content.kind === 'image') assertImageFits(content.input, content.params, { traits, limits, image })
  else if (isPipelineContent(content)) assertPipelineFits(content, traits, limits)
  else {
    assertAtMost('output tokens', content.params.maxTokens, limits.maxOutputTokens)
    assertAtMost('tokens of prompt and output', content.input.tokenIds.length + content.params.maxTokens, limits.contextTokens)
  }
}

function assertAtMost(limit: string, found: number, maximum: number): void {
  if (found > maximum) throw assignmentOverLimits({ limit, found, maximum })
}

function assertTextsFit({ tokenIds }: EmbeddingInput, limits: Manifest['limits']): void {
  assertAtMost('texts', tokenIds.length, limits.maxBatch)
  for (const ids of tokenIds) assertAtMost('tokens in one text', ids.length, limits.contextTokens)
}

function assertImageFits(
  { prompt, negativePrompt }: ImageInput,
  { count, width, height, steps, scheduler }: ImageParams,
  { traits, limits, image }: { traits: TaskKindTraits; limits: Manifest['limits']; image: ImageTraits | undefined },
): void {
  for (const text of [prompt, negativePrompt]) assertAtMost('characters of prompt', text.length, traits.limits.maxCharacters)
  assertAtMost('images', count, limits.maxBatch)
  if (image === undefined) return
  assertAtMost('pixels', width * height, image.maxPixels)
  assertAtMost('steps', steps, image.maxSteps)
  for (const side of [width, height])
    if (side % image.sizeStep !== 0) throw assignmentUnsupported({ what: 'size', found: `${width}x${height}`, supported: `multiples of ${image.sizeStep}` })
  if (!image.schedulers.includes(scheduler)) throw assignmentUnsupported({ what: 'scheduler', found: scheduler, supported: image.schedulers.join(', ') })
}

function assertPipelineFits({ input, params }: PipelineContent, traits: TaskKindTraits, limits: Manifest['limits']): void {
  if (input.text !== undefined) assertAtMost('characters', input.text.length, traits.limits.maxCharacters)
  if (input.media !== undefined) assertMediaFit(input.media, traits.limits)
  if ('maxTokens' in params) assertAtMost('output tokens', params.maxTokens, limits.maxOutputTokens)
}

function assertMediaFit(media: Media, { maxMediaBytes, maxPixels, maxSeconds }: TaskKindTraits['limits']): void {
  assertAtMost('bytes of media', media.bytes, maxMediaBytes)
  if ('durationMs' in media) assertAtMost('seconds of audio', media.durationMs / 1_000, maxSeconds)
  else assertAtMost('pixels', media.width * media.height, maxPixels)
}

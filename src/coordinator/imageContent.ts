import type { TaskRequest } from '../api/requestSchemas.ts'
import type { ImageTraits, Manifest } from '../domain/manifest.ts'
import type { ImageParams, TaskContent } from '../domain/task.ts'
import { parameterUnsupported, requestInvalid } from '../errors/api.ts'
import { internalError } from '../errors/internal.ts'

type ImageRequest = Extract<TaskRequest, { kind: 'image' }>

/** Prompt and params of an image task, inside what the model can do; what was not asked for is the manifest's. */
export function createImageContent({ input, params }: ImageRequest, { model, image, limits }: Manifest): TaskContent {
  if (image === undefined) throw internalError({ reason: `the manifest of '${model}' has no image traits` })
  const asked: ImageParams = {
    count: params.count ?? 1,
    width: params.width ?? image.width,
    height: params.height ?? image.height,
    steps: params.steps ?? image.steps,
    guidance: params.guidance ?? image.guidance,
    scheduler: params.scheduler ?? image.scheduler,
  }
  const problem = findProblem(asked, image, limits.maxBatch)
  if (problem !== null) throw requestInvalid({ where: problem.param, problem: `${problem.text} for '${model}'`, param: problem.param })
  const { prompt, negativePrompt = '' } = input
  // Without guidance there is no second pass that could steer away from anything.
  if (negativePrompt !== '' && asked.guidance <= 1) throw parameterUnsupported({ parameter: 'negativePrompt', when: 'without guidance above 1' })
  return { kind: 'image', input: { prompt, negativePrompt }, params: asked }
}

function findProblem(asked: ImageParams, image: ImageTraits, maxBatch: number): { param: string; text: string } | null {
  const { count, width, height, steps, scheduler } = asked
  if (count > maxBatch) return { param: 'count', text: `${count} images are more than the ${maxBatch} of one request` }
  if (width % image.sizeStep !== 0 || height % image.sizeStep !== 0)
    return { param: 'size', text: `${width} by ${height} pixels are not multiples of ${image.sizeStep}` }
  if (width * height > image.maxPixels) return { param: 'size', text: `${width * height} pixels are more than the ${image.maxPixels}` }
  if (steps > image.maxSteps) return { param: 'steps', text: `${steps} steps are more than the ${image.maxSteps}` }
  if (!image.schedulers.includes(scheduler)) return { param: 'scheduler', text: `'${scheduler}' is none of ${image.schedulers.join(', ')}` }
  return null
}

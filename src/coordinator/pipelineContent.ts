import type { TaskRequest } from '../api/requestSchemas.ts'
import type { Manifest } from '../domain/manifest.ts'
import { countIncludedTokens, type PipelineContent, type PipelineInput, type PipelineShapes } from '../domain/task.ts'
import type { PipelineKind } from '../domain/taskKinds.ts'
import { requestInvalid } from '../errors/api.ts'
import type { MediaShelf } from './mediaShelf.ts'
import type { TaskDraft } from './taskDraft.ts'

type PipelineRequest = Extract<TaskRequest, { kind: PipelineKind }>
type AskedParams<K extends PipelineKind> = Extract<TaskRequest, { kind: K }>['params']
type ToTokens = (asked: number | undefined) => number

const defaultTopK = 5

const defaults: { readonly [K in PipelineKind]: (params: AskedParams<K>, toTokens: ToTokens) => PipelineShapes[K]['params'] } = {
  transcription: ({ language = null, task = 'transcribe', timestamps = 'none' }) => ({ language, task, timestamps }),
  speech: ({ voice = null, speed = 1 }) => ({ voice, speed }),
  translation: ({ source = null, target = null, maxTokens }, toTokens) => ({ source, target, maxTokens: toTokens(maxTokens) }),
  summarization: ({ maxTokens }, toTokens) => ({ maxTokens: toTokens(maxTokens) }),
  'text-classification': ({ topK = defaultTopK }) => ({ topK }),
  'zero-shot-classification': ({ multiLabel = false }) => ({ multiLabel }),
  'token-classification': () => ({}),
  'image-classification': ({ topK = defaultTopK }) => ({ topK }),
  'object-detection': ({ threshold = 0.5 }) => ({ threshold }),
  captioning: ({ maxTokens }, toTokens) => ({ maxTokens: toTokens(maxTokens) }),
  'depth-estimation': () => ({}),
  'image-to-image': () => ({}),
}

/** Input and params of a task for the generic runner, and the bytes of its medium where they are to be kept. */
export async function createPipelineContent(
  request: PipelineRequest,
  { model, limits }: Manifest,
  { shelf, defaultMaxTokens }: { shelf: MediaShelf; defaultMaxTokens: number },
): Promise<TaskDraft> {
  const toTokens: ToTokens = (asked) => {
    const { maxOutputTokens } = limits
    if (asked !== undefined && asked > maxOutputTokens)
      throw requestInvalid({
        where: 'params.maxTokens',
        problem: `${asked} is more than the ${maxOutputTokens} output tokens of '${model}'`,
        param: 'params.maxTokens',
      })
    const included = 'text' in request.input ? countIncludedTokens(request.input.text) : maxOutputTokens
    return asked ?? Math.min(defaultMaxTokens, maxOutputTokens, included)
  }
  const params = defaults[request.kind](request.params as never, toTokens)
  const { kind } = request
  if (!('media' in request.input)) return { content: { kind, input: toTextInput(request.input), params } as PipelineContent, blobs: [] }
  const { media, blobs } = await shelf.getInput(request.input.media, kind)
  return { content: { kind, input: { media }, params } as PipelineContent, blobs }
}

function toTextInput(input: { text: string; labels?: string[] }): PipelineInput {
  if (input.labels === undefined) return { text: input.text }
  const { text, labels } = input
  const twice = labels.find((label, index) => labels.indexOf(label) < index)
  if (twice !== undefined) throw requestInvalid({ where: 'input.labels', problem: `names '${twice}' twice`, param: 'input.labels' })
  return { text, labels }
}

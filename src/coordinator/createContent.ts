import type { TaskRequest } from '../api/requestSchemas.ts'
import type { TaskContent } from '../domain/task.ts'
import { type TaskKind, taskKindTraits } from '../domain/taskKinds.ts'
import { parameterUnsupported, promptTooLong } from '../errors/api.ts'
import type { CatalogueModel } from './catalogue.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'
import { createImageContent } from './imageContent.ts'
import type { MediaShelf } from './mediaShelf.ts'
import { createPipelineContent } from './pipelineContent.ts'
import type { TaskDraft } from './taskDraft.ts'
import { createEmbeddingContent, createTextContent } from './textContent.ts'

/** More characters than so many per token of the context are refused before they are tokenised: no tokenizer in use averages more. */
const maxCharactersPerToken = 16
/** Characters allowed whatever the context is, so that a tiny model refuses by tokens, with a number that helps. */
const minCharacterBound = 4096

const kindsThatDraw: readonly TaskKind[] = ['chat', 'completion', 'image']

/**
 * What `request` asks of `model`, with every default written out and inside all limits: the registry's, the manifest's.
 * @throws CUCKOO_TASK_PROMPT_TOO_LONG, CUCKOO_API_REQUEST_INVALID, CUCKOO_API_PARAMETER_UNSUPPORTED when the request is at fault
 * @throws CUCKOO_API_MEDIA_ABSENT, CUCKOO_API_MEDIA_URL_REFUSED, CUCKOO_API_MEDIA_TOO_LARGE, CUCKOO_MEDIA_UNKNOWN, CUCKOO_MEDIA_TOO_LARGE for its medium
 */
export async function createContent(
  request: TaskRequest,
  model: CatalogueModel,
  { ports, shelf }: { ports: CoordinatorPorts; shelf: MediaShelf },
): Promise<TaskDraft> {
  assertCharacters(request, model)
  if (request.seed !== undefined && !kindsThatDraw.includes(request.kind)) throw parameterUnsupported({ parameter: 'seed', value: request.seed.toString() })
  if (request.kind === 'chat' || request.kind === 'completion') return toDraft(await createTextContent(request, model, ports))
  if (request.kind === 'embedding') return toDraft(await createEmbeddingContent(request, model))
  if (request.kind === 'image') return toDraft(createImageContent(request, model.manifest))
  return createPipelineContent(request, model.manifest, { shelf, defaultMaxTokens: ports.config.defaultMaxTokens })
}

function toDraft(content: TaskContent): TaskDraft {
  return { content, blobs: [] }
}

function assertCharacters(request: TaskRequest, { manifest }: CatalogueModel): void {
  const { maxCharacters } = taskKindTraits[request.kind].limits
  const bound = maxCharacters > 0 ? maxCharacters : Math.max(minCharacterBound, maxCharactersPerToken * manifest.limits.contextTokens)
  for (const text of listTexts(request)) if (text.length > bound) throw promptTooLong({ tokens: text.length, maximumTokens: bound, unit: 'characters' })
}

function listTexts({ input }: TaskRequest): string[] {
  if ('messages' in input) return [input.messages.map((message) => message.content).join('')]
  if ('texts' in input) return input.texts
  if ('prompt' in input) return [input.prompt, ...('negativePrompt' in input && input.negativePrompt !== undefined ? [input.negativePrompt] : [])]
  return 'text' in input ? [input.text] : []
}

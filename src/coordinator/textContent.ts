import type { TaskRequest } from '../api/requestSchemas.ts'
import type { OpenTokenizer } from '../domain/enginePort.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { EmbeddingInput, TaskContent, TextParams } from '../domain/task.ts'
import { maxInputTokens } from '../domain/taskKinds.ts'
import { promptTooLong, requestInvalid } from '../errors/api.ts'
import { internalError } from '../errors/internal.ts'
import type { CatalogueModel } from './catalogue.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'

type TextRequest = Extract<TaskRequest, { kind: 'chat' | 'completion' }>
type EmbeddingRequest = Extract<TaskRequest, { kind: 'embedding' }>

/** The prompt's token ids and the sampling params of a chat or completion. */
export async function createTextContent(request: TextRequest, model: CatalogueModel, { clock, config }: CoordinatorPorts): Promise<TaskContent> {
  assertMaxTokens(request.params.maxTokens, model.manifest)
  const date = request.params.date ?? new Date(clock.nowMs()).toISOString().slice(0, 10)
  const tokenizer = getTokenizer(model)
  const tokenIds = await (request.kind === 'chat' ? tokenizer.encodeChat(request.input.messages, date) : tokenizer.encodeText(request.input.prompt))
  return { kind: request.kind, input: { tokenIds }, params: toTextParams(request, model, tokenIds.length, date, config.defaultMaxTokens) }
}

// Said before anything is tokenised.
function assertMaxTokens(maxTokens: number | undefined, { model, limits }: Manifest): void {
  if (maxTokens !== undefined && maxTokens > limits.maxOutputTokens)
    throw requestInvalid({ where: 'max_tokens', problem: `${maxTokens} is more than the ${limits.maxOutputTokens} output tokens of '${model}'` })
}

function toTextParams({ params }: TextRequest, { manifest }: CatalogueModel, promptTokens: number, date: string, defaultMaxTokens: number): TextParams {
  const { contextTokens, maxOutputTokens } = manifest.limits
  const room = contextTokens - promptTokens
  const needed = params.maxTokens ?? 1
  if (promptTokens === 0) throw requestInvalid({ where: 'prompt', problem: 'it has no tokens' })
  if (room < needed) throw promptTooLong({ tokens: promptTokens, maximumTokens: Math.max(0, contextTokens - needed), unit: 'tokens' })
  return {
    maxTokens: params.maxTokens ?? Math.min(defaultMaxTokens, maxOutputTokens, room),
    temperature: params.temperature ?? 1,
    topP: params.topP ?? 1,
    topK: params.topK ?? 0,
    stop: params.stop ?? [],
    date,
  }
}

/** The token ids of each text of an embedding task. */
export async function createEmbeddingContent({ input, params }: EmbeddingRequest, model: CatalogueModel): Promise<TaskContent> {
  const tokenizer = getTokenizer(model)
  const { maxBatch, contextTokens } = model.manifest.limits
  if (input.texts.length > maxBatch)
    throw requestInvalid({ where: 'input', problem: `${input.texts.length} texts are more than the ${maxBatch} of one request` })
  const tokenIds: EmbeddingInput['tokenIds'] = []
  let tokens = 0
  for (const text of input.texts) {
    const ids = await tokenizer.encodeText(text)
    if (ids.length > contextTokens) throw promptTooLong({ tokens: ids.length, maximumTokens: contextTokens, unit: 'tokens' })
    tokenIds.push(ids)
    tokens += ids.length
    if (tokens > maxInputTokens) throw promptTooLong({ tokens, maximumTokens: maxInputTokens, unit: 'tokens' })
  }
  return { kind: 'embedding', input: { tokenIds }, params: { normalize: params.normalize ?? true } }
}

function getTokenizer({ tokenizer, manifest }: CatalogueModel): OpenTokenizer {
  if (tokenizer === null) throw internalError({ reason: `the model '${manifest.model}' has no tokenizer here` })
  return tokenizer
}

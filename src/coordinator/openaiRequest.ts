import type { TaskRequest } from '../api/requestSchemas.ts'
import type { RouteInput } from '../api/route.ts'
import type { Routes } from '../api/routes/routes.ts'
import type { ChatMessage } from '../domain/enginePort.ts'
import { parameterUnsupported, requestInvalid } from '../errors/api.ts'
import { assertParameters, toSeed } from './openaiParameters.ts'

type ChatBody = RouteInput<Routes['createChatCompletion']>['body']
type CompletionBody = RouteInput<Routes['createCompletion']>['body']
type EmbeddingBody = RouteInput<Routes['createEmbedding']>['body']

/** Values of parameters we do not have that ask for what happens anyway: honoured by doing nothing. */
const neutralValues: Readonly<Record<string, readonly unknown[]>> = {
  frequency_penalty: [0],
  presence_penalty: [0],
  logprobs: [false],
  echo: [false],
  best_of: [1],
  store: [false],
}

const samplingNames = ['model', 'temperature', 'top_p', 'top_k', 'seed', 'stop', 'stream', 'stream_options', 'n', 'user', 'max_tokens']
const knownNames = {
  chat: new Set([...samplingNames, 'messages', 'max_completion_tokens']),
  completion: new Set([...samplingNames, 'prompt']),
  embedding: new Set(['model', 'input', 'encoding_format', 'user']),
}

function assertSupported(body: Readonly<Record<string, unknown>>, kind: keyof typeof knownNames): void {
  const { response_format: format, ...rest } = body
  const isPlain = (format as { type?: unknown } | null | undefined)?.type === 'text'
  assertParameters(isPlain ? rest : body, knownNames[kind], neutralValues)
}

type SamplingBody = Pick<ChatBody, 'temperature' | 'top_p' | 'top_k' | 'stop' | 'stream' | 'stream_options'>

function toParams(body: SamplingBody, maxTokens: number | null | undefined): Extract<TaskRequest, { kind: 'chat' }>['params'] {
  if (body.stream_options && !body.stream) throw parameterUnsupported({ parameter: 'stream_options', when: 'without stream' })
  return {
    maxTokens: maxTokens ?? undefined,
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    topK: body.top_k ?? undefined,
    stop: typeof body.stop === 'string' ? [body.stop] : (body.stop ?? undefined),
  }
}

function toMessages(messages: ChatBody['messages']): ChatMessage[] {
  return messages.map(({ role, content, name }, index) => {
    if (name !== undefined) throw parameterUnsupported({ parameter: `messages[${index}].name`, value: name })
    return { role: role === 'developer' ? 'system' : role, content: typeof content === 'string' ? content : content.map((part) => part.text).join('') }
  })
}

/**
 * The task that an OpenAI chat request asks for.
 * @throws CUCKOO_API_PARAMETER_UNSUPPORTED for a parameter that cannot be honoured, by its name
 */
export function fromChatBody(body: ChatBody): TaskRequest {
  assertSupported(body, 'chat')
  const { max_tokens: maxTokens, max_completion_tokens: maxCompletionTokens } = body
  if (maxTokens && maxCompletionTokens && maxTokens !== maxCompletionTokens)
    throw requestInvalid({ where: 'max_tokens', problem: `${maxTokens} contradicts max_completion_tokens ${maxCompletionTokens}` })
  return {
    model: body.model,
    kind: 'chat',
    input: { messages: toMessages(body.messages) },
    params: toParams(body, maxCompletionTokens ?? maxTokens),
    seed: toSeed(body.seed),
  }
}

/**
 * The task that an OpenAI completion request asks for.
 * @throws CUCKOO_API_PARAMETER_UNSUPPORTED for a parameter that cannot be honoured, by its name
 */
export function fromCompletionBody(body: CompletionBody): TaskRequest {
  assertSupported(body, 'completion')
  return { model: body.model, kind: 'completion', input: { prompt: body.prompt }, params: toParams(body, body.max_tokens), seed: toSeed(body.seed) }
}

/**
 * The task that an OpenAI embeddings request asks for.
 * @throws CUCKOO_API_PARAMETER_UNSUPPORTED for a parameter that cannot be honoured, by its name
 */
export function fromEmbeddingBody(body: EmbeddingBody): TaskRequest {
  assertSupported(body, 'embedding')
  return { model: body.model, kind: 'embedding', input: { texts: typeof body.input === 'string' ? [body.input] : body.input }, params: {} }
}

import type { Handlers, Answer as HttpAnswer } from '../api/handler.ts'
import type { RouteEvent } from '../api/route.ts'
import type { Routes } from '../api/routes/routes.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { TaskRecord } from '../domain/storePorts.ts'
import { type EmbeddingOutput, type FinishReason, finishReasons } from '../domain/task.ts'
import { type TaskKind, taskKinds, taskKindTraits } from '../domain/taskKinds.ts'
import type { Admitted } from './admission.ts'
import { type Answer, toTaskHeaders } from './answers.ts'
import type { Coordinator } from './coordinator.ts'
import { fromChatBody, fromCompletionBody, fromEmbeddingBody } from './openaiRequest.ts'
import { isOpen } from './taskBoard.ts'
import { toAsker } from './taskRequest.ts'
import { waitForAnswer } from './waitForAnswer.ts'

type OpenAiHandlers = Pick<Handlers, 'listModels' | 'createChatCompletion' | 'createCompletion' | 'createEmbedding'>
type ChatChunk = RouteEvent<Routes['createChatCompletion']>
type TextChunk = RouteEvent<Routes['createCompletion']>
type TextFinish = Exclude<FinishReason, 'none'>

/** The OpenAI-compatible routes. */
export function createOpenAiHandlers(coordinator: Coordinator): OpenAiHandlers {
  return {
    async listModels() {
      const offered = coordinator.catalogue.list().map((model) => ({ ...model, miners: coordinator.miners.countOffering(model.digest) }))
      const data = offered
        .filter(({ miners }) => miners > 0)
        .map(({ digest, manifest, unitPriceWei, firstSeenAtMs, miners }) => ({
          id: manifest.model,
          object: 'model' as const,
          created: Math.floor(firstSeenAtMs / 1000),
          owned_by: manifest.model.split('/')[0] as string,
          cuckoo: { ...toModelFacts(manifest), manifest: digest, unitPriceWei: unitPriceWei.toString(), miners },
        }))
      return { body: { object: 'list', data } }
    },
    createChatCompletion: async ({ body }, context) => answerChat(coordinator, body, context),
    createCompletion: async ({ body }, context) => answerCompletion(coordinator, body, context),
    async createEmbedding({ body }, context) {
      const admitted = await coordinator.admission.admit(fromEmbeddingBody(body), toAsker(context))
      const { record, answer } = await waitForAnswer(coordinator, admitted, context.signal)
      const { embeddings } = answer.output as EmbeddingOutput
      const data = embeddings.map((base64, index) => ({
        object: 'embedding' as const,
        index,
        embedding: body.encoding_format === 'base64' ? base64 : toFloats(base64),
      }))
      const usage = { prompt_tokens: answer.promptTokens, total_tokens: answer.promptTokens }
      return { body: { object: 'list', model: record.model, data, usage }, headers: toTaskHeaders(record) }
    },
  }
}

function toModelFacts({ kind, dtype, chatTemplate, proof, limits, image }: Manifest) {
  const tasks = taskKinds.filter((task) => taskKindTraits[task].modelKind === kind)
  const { audit, unit, limits: bounds } = taskKindTraits[tasks[0] as TaskKind]
  return { kind, tasks, dtype, chat: chatTemplate, proof, audit, unit, ...limits, ...bounds, image: image ?? null }
}

type ContextOfApp = Parameters<OpenAiHandlers['createChatCompletion']>[1]

async function answerChat(
  coordinator: Coordinator,
  body: Parameters<OpenAiHandlers['createChatCompletion']>[0]['body'],
  context: ContextOfApp,
): Promise<HttpAnswer<Routes['createChatCompletion']>> {
  const admitted = await coordinator.admission.admit(fromChatBody(body), toAsker(context, body.stream === true))
  if (body.stream) {
    const chunk = (fields: Partial<ChatChunk> & { delta: ChatChunk['choices'][0]['delta']; finish: TextFinish | null }): ChatChunk => {
      const { delta, finish, ...rest } = fields
      return {
        ...toChunkHead(admitted.record, 'chatcmpl'),
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
        ...rest,
      }
    }
    const events = streamAnswer<ChatChunk>(coordinator, admitted, context.signal, body.stream_options?.include_usage === true, {
      first: () => chunk({ delta: { role: 'assistant', content: '' }, finish: null }),
      piece: (text) => chunk({ delta: { content: text }, finish: null }),
      last: (finish) => chunk({ delta: {}, finish }),
    })
    return { events, headers: toTaskHeaders(admitted.record) }
  }
  const { record, answer } = await waitForAnswer(coordinator, admitted, context.signal)
  const message = { role: 'assistant' as const, content: answer.text ?? '', refusal: null }
  return {
    body: {
      ...toChunkHead(record, 'chatcmpl'),
      object: 'chat.completion',
      choices: [{ index: 0, message, logprobs: null, finish_reason: toFinish(record) }],
      usage: toUsage(answer),
    },
    headers: toTaskHeaders(record),
  }
}

async function answerCompletion(
  coordinator: Coordinator,
  body: Parameters<OpenAiHandlers['createCompletion']>[0]['body'],
  context: ContextOfApp,
): Promise<HttpAnswer<Routes['createCompletion']>> {
  const admitted = await coordinator.admission.admit(fromCompletionBody(body), toAsker(context, body.stream === true))
  if (body.stream) {
    const chunk = (text: string, finish: TextFinish | null): TextChunk => ({
      ...toChunkHead(admitted.record, 'cmpl'),
      object: 'text_completion',
      choices: [{ index: 0, text, logprobs: null, finish_reason: finish }],
    })
    const events = streamAnswer<TextChunk>(coordinator, admitted, context.signal, body.stream_options?.include_usage === true, {
      first: () => null,
      piece: (text) => chunk(text, null),
      last: (finish) => chunk('', finish),
    })
    return { events, headers: toTaskHeaders(admitted.record) }
  }
  const { record, answer } = await waitForAnswer(coordinator, admitted, context.signal)
  return {
    body: {
      ...toChunkHead(record, 'cmpl'),
      object: 'text_completion',
      choices: [{ index: 0, text: answer.text ?? '', logprobs: null, finish_reason: toFinish(record) }],
      usage: toUsage(answer),
    },
    headers: toTaskHeaders(record),
  }
}

interface ChunkShapes<C> {
  first(): C | null
  piece(text: string): C
  last(finish: TextFinish): C
}

type AnyChunk = { choices: unknown[]; usage?: ReturnType<typeof toUsage> | null | undefined; cuckoo?: ReturnType<typeof toSignature> | undefined }

/**
 * The answer as a stream of chunks. With `withUsage` one more chunk without choices carries the usage, as OpenAI does; the last
 * chunk names task, miner and receipt. An app that leaves takes the task with it, unless others wait for it or it can come back
 * with its idempotency key.
 */
function streamAnswer<C extends AnyChunk>(
  coordinator: Coordinator,
  admitted: Admitted,
  signal: AbortSignal,
  withUsage: boolean,
  shapes: ChunkShapes<C>,
): AsyncIterable<C> {
  const { record: created, task } = admitted
  // Said once more for a task that another request made: its miner may not have it yet.
  if (task !== null) task.wantsStream = true
  if (task !== null && created.idempotencyKey === null) cancelWhenLeft(coordinator, task, signal)
  return (async function* () {
    const first = shapes.first()
    if (first !== null) yield first
    let wasRead = ''
    if (task !== null && isOpen(task.record))
      for await (const text of coordinator.readText(task, signal)) {
        wasRead += text
        yield shapes.piece(text)
      }
    const { record, answer } = await waitForAnswer(coordinator, admitted, signal)
    const rest = (answer.text ?? '').slice(wasRead.length)
    if (rest !== '') yield shapes.piece(rest)
    const last = shapes.last(toFinish(record))
    if (withUsage) {
      yield last
      yield { ...last, choices: [], usage: toUsage(answer), cuckoo: toSignature(record) }
    } else yield { ...last, cuckoo: toSignature(record) }
  })()
}

function cancelWhenLeft(coordinator: Coordinator, task: NonNullable<Admitted['task']>, signal: AbortSignal): void {
  const leave = () =>
    // Its own reading has ended by the next turn of the event loop; whoever is counted then is somebody else.
    setImmediate(() => {
      if (task.watchers > 0 || !isOpen(task.record)) return
      coordinator
        .cancel(task)
        .catch((error: unknown) => coordinator.ports.logger.error({ err: error, taskId: task.record.id }, 'a task could not be cancelled'))
    })
  if (signal.aborted) leave()
  else signal.addEventListener('abort', leave, { once: true })
}

function toFinish({ receipt }: TaskRecord): TextFinish {
  return receipt?.result.finishReason === finishReasons.length ? 'length' : 'stop'
}

function toChunkHead(record: TaskRecord, prefix: string): { id: string; created: number; model: string } {
  return { id: `${prefix}-${record.id.slice(2)}`, created: Math.floor(record.createdAtMs / 1000), model: record.model }
}

function toUsage(answer: Answer): { prompt_tokens: number; completion_tokens: number; total_tokens: number } {
  return { prompt_tokens: answer.promptTokens, completion_tokens: answer.outputTokens, total_tokens: answer.promptTokens + answer.outputTokens }
}

function toSignature(record: TaskRecord): { task: string; miner: string; receipt: string } {
  return { task: record.id, miner: record.miner ?? '', receipt: record.id }
}

function toFloats(base64: string): number[] {
  const bytes = Buffer.from(base64, 'base64')
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))
}

import { randomBytes } from 'node:crypto'
import { encodeCanonical } from '../domain/canonical.ts'
import { toTaskKey } from '../domain/draw.ts'
import type { TaskRecord } from '../domain/storePorts.ts'
import { type EmbeddingInput, type TaskContent, type TextParams, toMaxUnits, toTaskId } from '../domain/task.ts'
import {
  chatTemplateMissing,
  idempotencyConflict,
  modelKindMismatch,
  modelUnknown,
  noMinerAvailable,
  parameterUnsupported,
  promptTooLong,
  queueFull,
  requestInvalid,
} from '../errors/api.ts'
import type { Catalogue, CatalogueModel } from './catalogue.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'
import type { Dispatched, Dispatcher } from './dispatcher.ts'
import type { Miners } from './miners.ts'
import type { BoardTask, TaskBoard } from './taskBoard.ts'
import { type Asker, type TaskRequest, toRequestHash } from './taskRequest.ts'
import type { TaskStream } from './taskStream.ts'

/** More characters than so many per token of the context are refused before they are tokenised: no tokenizer in use averages more. */
const maxCharactersPerToken = 16
/** Characters allowed whatever the context is, so that a tiny model refuses by tokens, with a number that helps. */
const minCharacterBound = 4096

interface Parts {
  ports: CoordinatorPorts
  board: TaskBoard
  catalogue: Catalogue
  miners: Miners<Dispatched>
  dispatcher: Dispatcher
  /** @throws when no task is taken now: draining, not active on chain */
  assertOpen(): void
  createStream(record: TaskRecord): TaskStream
}

/** A request that can be served, with everything written out. */
export interface Quote {
  model: CatalogueModel
  content: TaskContent
  inputTokens: number
  maxPriceWei: bigint
  /** miners here that can run it */
  miners: number
}

/** A task that was taken on, or found again by its idempotency key (`task` is null when it has ended by then). */
export interface Admitted {
  record: TaskRecord
  task: BoardTask | null
}

/** Turns requests into tasks, and refuses at the door what nobody could serve. */
export class Admission {
  readonly #parts: Parts
  #underWay = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * The request's content, tokens and highest price.
   * @throws CUCKOO_MODEL_UNKNOWN, CUCKOO_MODEL_KIND_MISMATCH, CUCKOO_MODEL_WITHOUT_CHAT, CUCKOO_TASK_NO_MINER when nobody can serve it
   * @throws CUCKOO_TASK_PROMPT_TOO_LONG, CUCKOO_API_REQUEST_INVALID, CUCKOO_API_PARAMETER_UNSUPPORTED when the request is at fault
   */
  async quote(request: TaskRequest): Promise<Quote> {
    const { ports, miners } = this.#parts
    const model = this.#getModel(request)
    const offering = miners.countOffering(model.digest, request.miner)
    if (offering === 0)
      throw noMinerAvailable({
        model: request.model,
        reason: request.miner === undefined ? 'no miner offers it' : `the miner ${request.miner} does not offer it here`,
      })
    const content = await toContent(request, model, ports)
    const inputTokens = countInputTokens(content)
    return { model, content, inputTokens, maxPriceWei: toMaxUnits(content) * model.unitPriceWei, miners: offering }
  }

  /**
   * A durable task in line for a miner.
   * @throws what {@link Admission.quote} throws; CUCKOO_TASK_QUEUE_FULL; CUCKOO_TASK_IDEMPOTENCY_CONFLICT when the key came with another request
   */
  async admit(request: TaskRequest, asker: Asker): Promise<Admitted> {
    const { ports, board } = this.#parts
    const requestHash = toRequestHash(request)
    if (asker.idempotencyKey !== null) {
      const known = await ports.store.findTaskByIdempotencyKey(asker.appId, asker.idempotencyKey)
      if (known !== null) return this.#toKnown(known, requestHash, asker)
    }
    this.#parts.assertOpen()
    if (board.queued + this.#underWay >= ports.config.maxQueued) throw queueFull({ waiting: board.queued })
    this.#underWay++
    try {
      return await this.#create(request, asker, requestHash)
    } finally {
      this.#underWay--
    }
  }

  async #create(request: TaskRequest, asker: Asker, requestHash: TaskRecord['requestHash']): Promise<Admitted> {
    const { ports, board, dispatcher, createStream } = this.#parts
    const { model, content, maxPriceWei } = await this.quote(request)
    this.#parts.assertOpen()
    const [input, params] = [encodeCanonical(content.input), encodeCanonical(content.params)]
    const random = randomBytes(48)
    const { task: record, created } = await ports.store.createTask({
      id: toTaskId(ports.store.incarnation, random.subarray(0, 24)),
      appId: asker.appId,
      idempotencyKey: asker.idempotencyKey,
      requestHash,
      model: model.manifest.model,
      manifest: model.digest,
      kind: content.kind,
      inputHash: input.hash,
      paramsHash: params.hash,
      seed: request.seed ?? random.readBigUInt64BE(24),
      taskKey: toTaskKey(asker.nonce ?? random.toString('hex', 32), input.hash),
      targetMiner: request.miner ?? null,
      unitPriceWei: model.unitPriceWei,
      maxPriceWei,
      createdAtMs: ports.clock.nowMs(),
      blobs: [input, params],
    })
    if (!created) return this.#toKnown(record, requestHash, asker)
    const task = board.add(record, { content, receivedAtMs: asker.receivedAtMs, createStream })
    ports.metrics.tasksCreated.inc({ kind: record.kind })
    dispatcher.enqueue(task)
    return { record, task }
  }

  #toKnown(record: TaskRecord, requestHash: TaskRecord['requestHash'], asker: Asker): Admitted {
    if (record.requestHash !== requestHash) throw idempotencyConflict({ key: asker.idempotencyKey ?? '' })
    return { record, task: this.#parts.board.find(record.id) ?? null }
  }

  #getModel(request: TaskRequest): CatalogueModel {
    const { catalogue, miners } = this.#parts
    const model = catalogue.findByName(request.model)
    if (model === undefined) {
      if (catalogue.isKnown(request.model)) throw noMinerAvailable({ model: request.model, reason: 'no miner offers it' })
      const known = catalogue.list().filter(({ digest }) => miners.findPool(digest) !== undefined)
      throw modelUnknown({ model: request.model, known: known.map(({ manifest }) => manifest.model).join(', ') })
    }
    const { kind } = model.manifest
    if ((request.kind === 'embedding') !== (kind === 'embedding')) throw modelKindMismatch({ model: request.model, kind, wanted: request.kind })
    if (request.kind === 'chat' && !model.tokenizer.hasChatTemplate) throw chatTemplateMissing({ model: request.model })
    return model
  }
}

async function toContent(request: TaskRequest, model: CatalogueModel, ports: CoordinatorPorts): Promise<TaskContent> {
  assertCharacters(request, model)
  if (request.kind === 'embedding') return toEmbeddingContent(request, model)
  const date = request.params.date ?? new Date(ports.clock.nowMs()).toISOString().slice(0, 10)
  if (request.params.normalize !== undefined) throw parameterUnsupported({ parameter: 'params.normalize', value: String(request.params.normalize) })
  const tokenIds = await encodePrompt(request, model, date)
  return { kind: request.kind, input: { tokenIds }, params: toTextParams(request, model, tokenIds.length, date, ports.config.defaultMaxTokens) }
}

async function encodePrompt(request: TaskRequest, { tokenizer }: CatalogueModel, date: string): Promise<number[]> {
  const { kind, input } = request
  if (kind === 'chat') {
    if (!('messages' in input)) throw requestInvalid({ where: 'input', problem: 'a chat takes { messages }' })
    return tokenizer.encodeChat(input.messages, date)
  }
  if (!('prompt' in input)) throw requestInvalid({ where: 'input', problem: 'a completion takes { prompt }' })
  return tokenizer.encodeText(input.prompt)
}

function toTextParams(request: TaskRequest, { manifest }: CatalogueModel, promptTokens: number, date: string, defaultMaxTokens: number): TextParams {
  const { contextTokens, maxOutputTokens } = manifest.limits
  const { params } = request
  if (params.maxTokens !== undefined && params.maxTokens > maxOutputTokens)
    throw requestInvalid({ where: 'max_tokens', problem: `${params.maxTokens} is more than the ${maxOutputTokens} output tokens of '${manifest.model}'` })
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

const textParameters = ['maxTokens', 'temperature', 'topP', 'topK', 'stop', 'date'] as const

async function toEmbeddingContent(request: TaskRequest, { manifest, tokenizer }: CatalogueModel): Promise<TaskContent> {
  const { input, params, seed } = request
  if (!('texts' in input)) throw requestInvalid({ where: 'input', problem: 'an embedding takes { texts }' })
  for (const name of textParameters)
    if (params[name] !== undefined) throw parameterUnsupported({ parameter: `params.${name}`, value: JSON.stringify(params[name]) })
  if (seed !== undefined) throw parameterUnsupported({ parameter: 'seed', value: seed.toString() })
  const { maxBatch, contextTokens } = manifest.limits
  if (input.texts.length > maxBatch)
    throw requestInvalid({ where: 'input', problem: `${input.texts.length} texts are more than the ${maxBatch} of one request` })
  const tokenIds: EmbeddingInput['tokenIds'] = []
  for (const text of input.texts) {
    const ids = await tokenizer.encodeText(text)
    if (ids.length > contextTokens) throw promptTooLong({ tokens: ids.length, maximumTokens: contextTokens, unit: 'tokens' })
    tokenIds.push(ids)
  }
  return { kind: 'embedding', input: { tokenIds }, params: { normalize: params.normalize ?? true } }
}

function assertCharacters(request: TaskRequest, { manifest }: CatalogueModel): void {
  const bound = Math.max(minCharacterBound, maxCharactersPerToken * manifest.limits.contextTokens)
  const { input } = request
  const texts = 'texts' in input ? input.texts : ['prompt' in input ? input.prompt : input.messages.map((message) => message.content).join('')]
  for (const text of texts) if (text.length > bound) throw promptTooLong({ tokens: text.length, maximumTokens: bound, unit: 'characters' })
}

function countInputTokens(content: TaskContent): number {
  return content.kind === 'embedding' ? content.input.tokenIds.reduce((sum, ids) => sum + ids.length, 0) : content.input.tokenIds.length
}

import { randomBytes } from 'node:crypto'
import type { TaskRequest } from '../api/requestSchemas.ts'
import { encodeCanonical } from '../domain/canonical.ts'
import { toTaskKey } from '../domain/draw.ts'
import type { NewTask, TaskRecord } from '../domain/storePorts.ts'
import { toMaxUnits, toTaskId } from '../domain/task.ts'
import { taskKindTraits } from '../domain/taskKinds.ts'
import { toNewRecord } from '../domain/taskRecord.ts'
import { chatTemplateMissing, idempotencyConflict, modelKindMismatch, modelUnknown, noMinerAvailable, queueFull } from '../errors/api.ts'
import type { Catalogue, CatalogueModel } from './catalogue.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'
import { countInputTokens } from './countInputTokens.ts'
import { createContent } from './createContent.ts'
import type { Dispatched, Dispatcher } from './dispatcher.ts'
import type { MediaShelf } from './mediaShelf.ts'
import type { Miners } from './miners.ts'
import type { BoardTask, TaskBoard } from './taskBoard.ts'
import type { TaskDraft } from './taskDraft.ts'
import { type Asker, toRequestHash } from './taskRequest.ts'
import type { TaskStream } from './taskStream.ts'

interface Parts {
  ports: CoordinatorPorts
  board: TaskBoard
  catalogue: Catalogue
  miners: Miners<Dispatched>
  dispatcher: Dispatcher
  shelf: MediaShelf
  /** @throws when no task is taken now: draining, not active on chain */
  assertOpen(): void
  createStream(record: TaskRecord): TaskStream
}

/** A request that can be served, with everything written out. */
export interface Quote extends TaskDraft {
  model: CatalogueModel
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
   * @throws what {@link createContent} throws when the request is at fault
   */
  async quote(request: TaskRequest): Promise<Quote> {
    const { miners } = this.#parts
    const model = this.#getModel(request)
    const offering = miners.countOffering(model.digest, request.miner)
    if (offering === 0)
      throw noMinerAvailable({
        model: request.model,
        reason: request.miner === undefined ? 'no miner offers it' : `the miner ${request.miner} does not offer it here`,
      })
    const { content, blobs } = await createContent(request, model, this.#parts)
    const inputTokens = countInputTokens(content)
    return { model, content, blobs, inputTokens, maxPriceWei: toMaxUnits(content) * model.unitPriceWei, miners: offering }
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
    const { model, content, blobs, maxPriceWei } = await this.quote(request)
    // The store looks again when it writes: but by then a miner may have been drawn.
    await ports.store.assertWithinQuota(asker.appId, blobs)
    this.#parts.assertOpen()
    const [input, params] = [encodeCanonical(content.input), encodeCanonical(content.params)]
    const random = randomBytes(48)
    const draft: NewTask = {
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
      blobs: [input, params, ...blobs],
    }
    const task = board.add(toNewRecord(draft), { content, receivedAtMs: asker.receivedAtMs, wantsStream: asker.wantsStream, createStream })
    try {
      const creation = ports.store.createTask(draft)
      // In the same turn of the event loop: one commit takes the task and, where a miner waits, its assignment.
      dispatcher.enqueue(task)
      const { task: record, created } = await creation
      if (created) {
        ports.metrics.tasksCreated.inc({ kind: record.kind })
        return { record, task }
      }
      this.#withdraw(task)
      return this.#toKnown(record, requestHash, asker)
    } catch (error) {
      this.#withdraw(task)
      throw error
    }
  }

  /** Forgets a task that the store did not take. A miner that was drawn for it is asked again: the store refuses that assignment too. */
  #withdraw(task: BoardTask): void {
    this.#parts.dispatcher.remove(task)
    this.#parts.board.remove(task)
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
    if (taskKindTraits[request.kind].modelKind !== kind) throw modelKindMismatch({ model: request.model, kind, wanted: request.kind })
    if (request.kind === 'chat' && model.tokenizer?.hasChatTemplate !== true) throw chatTemplateMissing({ model: request.model })
    return model
  }
}

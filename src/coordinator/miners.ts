import type { Session } from '../api/sessionRegistry.ts'
import type { Address, Hash } from '../domain/hex.ts'
import type { Manifest } from '../domain/manifest.ts'
import type { NodeRecord } from '../domain/node.ts'
import { toWeight } from '../domain/node.ts'
import { minerNotEligible } from '../errors/api.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import { findRefusal } from './nodeStanding.ts'

/** A model that a miner said it runs. */
export interface MinerModel {
  digest: Hash
  manifest: Manifest
  /** measured by the miner; 0: unknown */
  unitsPerSecond: number
  /** what this coordinator pays for a unit of it */
  unitPriceWei: bigint
}

/** False when the miner asks for more than a task (or the model's tasks) pays per unit: it is not there for it. */
export function isPaidEnough(miner: { readonly minUnitPriceWei: bigint }, { unitPriceWei }: { readonly unitPriceWei: bigint }): boolean {
  return unitPriceWei >= miner.minUnitPriceWei
}

/** A poll that is held open. */
export interface OpenPoll<T> {
  readonly openedAtMs: number
  /** a task was drawn for it: it does not time out while the assignment is being written */
  hold(): void
  /** nothing came of it: it waits on for the rest of its time */
  resume(): void
  /** answers it; false when the miner has hung up or got an answer already */
  answer(outcome: { task: T } | { reason: string } | { error: CuckooError }): boolean
}

/** A miner with a live session. */
export interface Miner<T> {
  readonly session: Session
  readonly slots: number
  /** it is never drawn for a task that pays less per unit */
  readonly minUnitPriceWei: bigint
  models: MinerModel[]
  /** oldest first */
  readonly polls: Set<OpenPoll<T>>
  /** why it gets no tasks, or null */
  refusal: string | null
  weightWei: bigint
}

/** Miners that offer one model, and those of them that wait, with the sum of their weights. */
export class ModelPool<T> {
  readonly offering = new Set<Miner<T>>()
  readonly waiting = new Map<Address, Miner<T>>()
  weightWei = 0n
  /** tasks drawn from here so far */
  draws = 0

  add(miner: Miner<T>): void {
    if (this.waiting.has(miner.session.node)) return
    this.waiting.set(miner.session.node, miner)
    this.weightWei += miner.weightWei
  }

  remove(miner: Miner<T>): void {
    if (this.waiting.delete(miner.session.node)) this.weightWei -= miner.weightWei
  }
}

/** Every miner with a live session, and who of them waits for which model now: a poll open, a free slot, in good standing. */
export class Miners<T> {
  readonly #miners = new Map<Address, Miner<T>>()
  readonly #pools = new Map<Hash, ModelPool<T>>()
  readonly #countLeased: (node: Address) => number

  constructor(countLeased: (node: Address) => number) {
    this.#countLeased = countLeased
  }

  get size(): number {
    return this.#miners.size
  }

  /** Miners with a poll open. */
  get waiting(): number {
    let count = 0
    for (const miner of this.#miners.values()) if (miner.polls.size > 0) count++
    return count
  }

  find(session: Session): Miner<T> | undefined {
    const miner = this.#miners.get(session.node)
    return miner?.session.id === session.id ? miner : undefined
  }

  findByNode(node: Address): Miner<T> | undefined {
    return this.#miners.get(node)
  }

  list(): Iterable<Miner<T>> {
    return this.#miners.values()
  }

  /** The pool of a model, undefined when no miner with a session offers it. */
  findPool(digest: Hash): ModelPool<T> | undefined {
    return this.#pools.get(digest)
  }

  /** Miners in good standing that offer the model, busy ones too. */
  listOffering(digest: Hash): Miner<T>[] {
    return [...(this.#pools.get(digest)?.offering ?? [])].filter((miner) => miner.refusal === null)
  }

  /** How many of {@link listOffering} there are: `only` that one where it is given. */
  countOffering(digest: Hash, only?: Address): number {
    let count = 0
    for (const miner of this.#pools.get(digest)?.offering ?? []) if (miner.refusal === null && (only === undefined || miner.session.node === only)) count++
    return count
  }

  open(session: Session, terms: Pick<Miner<T>, 'slots' | 'minUnitPriceWei'>, record: NodeRecord): Miner<T> {
    const miner: Miner<T> = { session, ...terms, models: [], polls: new Set(), refusal: null, weightWei: toWeight(record) }
    this.#miners.set(session.node, miner)
    return miner
  }

  /** Takes the miner out; its open polls end with `reason`. */
  end(session: Session, reason: string): Miner<T> | undefined {
    const miner = this.find(session)
    if (miner === undefined) return undefined
    this.#miners.delete(session.node)
    this.#setOffers(miner, [])
    for (const poll of miner.polls) poll.answer({ reason })
    miner.polls.clear()
    return miner
  }

  /** Sets what the miner runs. */
  setModels(miner: Miner<T>, models: MinerModel[]): void {
    this.#setOffers(miner, models)
    this.refresh(miner)
  }

  /** Looks at every miner's standing again. Those that lost it are refused, their open polls at once; what they run may finish. */
  reassess(find: (node: Address) => NodeRecord | undefined): void {
    for (const miner of this.#miners.values()) {
      const record = find(miner.session.node)
      this.#leavePools(miner)
      miner.weightWei = record === undefined ? 0n : toWeight(record)
      miner.refusal =
        findRefusal(record, 'miner') ?? (record?.operator === miner.session.operator ? null : 'its operator key was replaced: start it with the new key')
      if (miner.refusal === null) this.refresh(miner)
      else {
        const error = minerNotEligible({ node: miner.session.node, reason: miner.refusal })
        for (const poll of miner.polls) poll.answer({ error })
        miner.polls.clear()
      }
    }
  }

  /** Puts the miner into the pools of its models when it waits with a free slot, and takes it out when not. */
  refresh(miner: Miner<T>): void {
    const isWaiting =
      miner.refusal === null && miner.polls.size > 0 && this.#countLeased(miner.session.node) < miner.slots && this.#miners.get(miner.session.node) === miner
    if (!isWaiting) this.#leavePools(miner)
    else for (const model of miner.models) if (isPaidEnough(miner, model)) this.#pools.get(model.digest)?.add(miner)
  }

  /** Closes every open poll with `error`. */
  closePolls(error: CuckooError): void {
    for (const miner of this.#miners.values()) {
      this.#leavePools(miner)
      for (const poll of miner.polls) poll.answer({ error })
      miner.polls.clear()
    }
  }

  #leavePools(miner: Miner<T>): void {
    for (const { digest } of miner.models) this.#pools.get(digest)?.remove(miner)
  }

  #setOffers(miner: Miner<T>, models: MinerModel[]): void {
    this.#leavePools(miner)
    for (const { digest } of miner.models) {
      const pool = this.#pools.get(digest)
      pool?.offering.delete(miner)
      if (pool?.offering.size === 0) this.#pools.delete(digest)
    }
    miner.models = models
    for (const model of models) if (isPaidEnough(miner, model)) this.#openPool(model.digest).offering.add(miner)
  }

  #openPool(digest: Hash): ModelPool<T> {
    const pool = this.#pools.get(digest) ?? new ModelPool<T>()
    this.#pools.set(digest, pool)
    return pool
  }
}

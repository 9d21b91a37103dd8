import { randomBytes } from 'node:crypto'
import { toHex } from '../domain/hex.ts'
import type { Clock } from '../domain/ports.ts'
import type { DrawEpoch } from '../domain/storePorts.ts'
import { isError } from '../errors/cuckooError.ts'
import { epochNotOver } from '../errors/epochs.ts'
import { toCuckooError } from '../errors/internal.ts'
import type { CoordinatorPorts } from './coordinatorPorts.ts'
import { waitAtMost } from './waitAtMost.ts'

/** A reveal waits this long after its epoch's end: the next block must not be stamped before it. */
const settleMs = 1_000
/** A commitment that is not on chain so long after its epoch's end never came there: one that is mined late is refused. */
const lateMs = 600_000
/** How often a commitment that was on chain is looked up again: a reorg may have dropped it. */
const recheckMs = 60_000
const backoff = { baseMs: 2_000, maxMs: 60_000 }
const closeMs = 2_000

/**
 * The draw's epochs on chain: the secret of each is made, kept on disk and committed before anything is drawn with it, and
 * revealed once its epoch is over. {@link update} does what is due; whatever fails is tried again.
 */
export class Epochs {
  readonly #ports: CoordinatorPorts
  readonly #clock: Clock
  readonly #onReady: () => void
  readonly #drawMs: number
  readonly #secrets = new Map<number, DrawEpoch>()
  /** epochs whose commitment on chain is ours, with the moment it was last seen there (unix ms) */
  readonly #committed = new Map<number, number>()
  /** epochs whose commitment on chain is of a secret that this store does not have */
  readonly #foreign = new Set<number>()
  #running: Promise<void> | null = null
  #failures = 0
  #nextTryMs = 0
  #lastProblem = ''
  #closed = false

  /** `clock`: the chain's time. `onReady` is told when draws can go on after a standstill. */
  constructor(ports: CoordinatorPorts, options: { clock: Clock; drawSeconds: number; onReady?: () => void }) {
    this.#ports = ports
    this.#clock = options.clock
    this.#drawMs = options.drawSeconds * 1000
    this.#onReady = options.onReady ?? (() => undefined)
  }

  /** The epoch to draw in now; undefined while its commitment is not known to be on chain. */
  find(): DrawEpoch | undefined {
    const current = this.#getCurrent()
    return this.#committed.has(current) ? this.#secrets.get(current) : undefined
  }

  /** Why nothing is drawn now, in words, or null. */
  findProblem(): string | null {
    if (this.find() !== undefined) return null
    const current = this.#getCurrent()
    if (this.#foreign.has(current)) return `no task is drawn: the commitment of draw epoch ${current} on chain is of a secret that the coordinator has lost`
    return `no task is drawn: the coordinator's commitment for draw epoch ${current} is not on chain${this.#lastProblem === '' ? ' yet' : ` (${this.#lastProblem})`}`
  }

  /**
   * Commits the present and the next epoch; resolves when both commitments are on chain.
   * @throws CUCKOO_CHAIN_WALLET_TOO_LOW when the operator cannot pay for it, CUCKOO_CHAIN_RPC_UNAVAILABLE and what else the chain answers
   */
  async start(): Promise<void> {
    const current = this.#getCurrent()
    await this.#openSecrets(current)
    for (const epoch of [current, current + 1]) if ((await this.#look(epoch)) === 'absent') await this.#commit(epoch)
  }

  /** Reveals every epoch that is over, so that a node that was suspended for one is active again. @throws what the chain answers */
  async revealEnded(): Promise<void> {
    for (const epoch of await this.#listEnded(this.#getCurrent())) await this.#reveal(epoch)
  }

  /** Does what is due: reveals epochs that are over and commits the next one. Never throws, and does one thing at a time. */
  update(): Promise<void> {
    if (this.#closed || this.#ports.clock.nowMs() < this.#nextTryMs) return Promise.resolve()
    this.#running ??= this.#turn()
      .then(
        () => this.#setWell(),
        (error: unknown) => this.#setFailed(error),
      )
      .finally(() => {
        this.#running = null
      })
    return this.#running
  }

  /** Starts nothing more; waits a moment for what is under way. Says which secrets are still to be shown. */
  async close(): Promise<void> {
    this.#closed = true
    await waitAtMost(this.#running, closeMs)
    const epochs = [...this.#committed.keys()]
    if (epochs.length > 0)
      this.#ports.logger.info({ epochs }, 'the secrets of these draw epochs are still to be revealed: serve again in time, or the node is suspended')
  }

  #getCurrent(): number {
    return Math.floor(this.#clock.nowMs() / this.#drawMs)
  }

  async #turn(): Promise<void> {
    const current = this.#getCurrent()
    const wasReady = this.find() !== undefined
    await this.#openSecrets(current)
    if ((await this.#look(current)) === 'absent') await this.#commit(current)
    if (!wasReady && this.find() !== undefined) this.#onReady()
    const ended = await this.#listEnded(current)
    const isNextAbsent = (await this.#look(current + 1)) === 'absent'
    // One transaction an epoch as a rule; after a failure the two go separately, so that neither holds up the other.
    if (isNextAbsent && ended.length > 0 && this.#failures === 0) await this.#revealAndCommit(ended.shift() as DrawEpoch, current + 1)
    else if (isNextAbsent) await this.#commit(current + 1)
    for (const epoch of ended) await this.#reveal(epoch)
  }

  /** Makes the secrets of this epoch and the next durable before they are used, and forgets older ones in memory. */
  async #openSecrets(current: number): Promise<void> {
    const { store, chain, node } = this.#ports
    for (const epoch of [current, current + 1]) {
      if (this.#secrets.has(epoch)) continue
      const secret = toHex(randomBytes(32))
      this.#secrets.set(epoch, await store.openDrawEpoch({ epoch, secret, commitment: chain.toEpochCommitment(node, BigInt(epoch), secret) }))
    }
    for (const epoch of this.#secrets.keys()) if (epoch < current) this.#secrets.delete(epoch)
    for (const epoch of this.#foreign) if (epoch < current) this.#foreign.delete(epoch)
  }

  async #look(epoch: number): Promise<'ours' | 'foreign' | 'absent'> {
    const { chain, node, clock, logger } = this.#ports
    const seenAtMs = this.#committed.get(epoch)
    if (seenAtMs !== undefined && clock.nowMs() - seenAtMs < recheckMs) return 'ours'
    const found = await chain.findEpochCommitment(node, BigInt(epoch))
    if (found === this.#secrets.get(epoch)?.commitment) this.#committed.set(epoch, clock.nowMs())
    else this.#committed.delete(epoch)
    if (this.#committed.has(epoch)) return 'ours'
    if (found === null) return 'absent'
    if (!this.#foreign.has(epoch)) {
      this.#foreign.add(epoch)
      logger.error(
        { epoch, commitment: found },
        'this draw epoch was committed with a secret that is not in the store: nothing is drawn in it, and it cannot be revealed',
      )
    }
    return 'foreign'
  }

  /** Epochs that are over, committed with our secret and not revealed, oldest first. Those with nothing to reveal are settled on the way. */
  async #listEnded(current: number): Promise<DrawEpoch[]> {
    const { store, chain, node, metrics } = this.#ports
    const nowMs = this.#clock.nowMs()
    const ended: DrawEpoch[] = []
    let lost = 0
    for (const epoch of await store.listUnrevealedEpochs()) {
      const endMs = (epoch.epoch + 1) * this.#drawMs
      if (epoch.epoch >= current || nowMs < endMs + settleMs) continue
      const found = await chain.findEpochCommitment(node, BigInt(epoch.epoch))
      if (found === epoch.commitment) ended.push(epoch)
      else if (found !== null) lost++
      else if (this.#committed.has(epoch.epoch) || nowMs > endMs + lateMs) await this.#settle(epoch.epoch)
    }
    metrics.epochsUnrevealed.set(ended.length + lost)
    return ended
  }

  async #commit(epoch: number): Promise<void> {
    const { chain, signer, node, logger } = this.#ports
    const { commitment } = this.#secrets.get(epoch) as DrawEpoch
    await this.#send(
      () => chain.commitEpoch(signer, { coordinator: node, epoch: BigInt(epoch), commitment }),
      async () => (await chain.findEpochCommitment(node, BigInt(epoch))) === commitment,
    )
    this.#setCommitted(epoch)
    logger.info({ epoch, commitment }, 'a draw epoch is committed')
  }

  async #reveal({ epoch, secret }: DrawEpoch): Promise<void> {
    const { chain, signer, node, logger } = this.#ports
    await this.#send(
      () => chain.revealEpoch(signer, { coordinator: node, epoch: BigInt(epoch), secret }),
      async () => (await chain.findEpochCommitment(node, BigInt(epoch))) === null,
    )
    await this.#settle(epoch)
    logger.info({ epoch }, 'a draw epoch is revealed')
  }

  async #revealAndCommit({ epoch, secret }: DrawEpoch, next: number): Promise<void> {
    const { chain, signer, node, logger } = this.#ports
    const { commitment } = this.#secrets.get(next) as DrawEpoch
    await this.#send(
      () => chain.turnEpoch(signer, { coordinator: node, revealed: BigInt(epoch), secret, committed: BigInt(next), commitment }),
      async () => (await chain.findEpochCommitment(node, BigInt(epoch))) === null && (await chain.findEpochCommitment(node, BigInt(next))) === commitment,
    )
    this.#setCommitted(next)
    await this.#settle(epoch)
    logger.info({ revealed: epoch, committed: next }, 'a draw epoch is revealed, and the next one committed')
  }

  /** Sends; what fails may have been done by another process, or by a transaction of ours that seemed lost: the chain says. */
  async #send(send: () => Promise<unknown>, isDone: () => Promise<boolean>): Promise<void> {
    try {
      await send()
    } catch (error) {
      if (!(await isDone().catch(() => false))) throw error
    }
  }

  #setCommitted(epoch: number): void {
    this.#committed.set(epoch, this.#ports.clock.nowMs())
  }

  async #settle(epoch: number): Promise<void> {
    await this.#ports.store.markEpochRevealed(epoch)
    this.#committed.delete(epoch)
  }

  #setWell(): void {
    this.#failures = 0
    this.#lastProblem = ''
  }

  #setFailed(cause: unknown): void {
    if (this.#closed) return
    const error = toCuckooError(cause)
    this.#failures++
    this.#lastProblem = error.message
    const pauseMs = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(10, this.#failures - 1))
    this.#nextTryMs = this.#ports.clock.nowMs() + pauseMs
    this.#ports.metrics.chainFailures.inc({ action: 'epoch' })
    // Once too early is the chain's clock being seconds behind ours; again, one of the two is wrong.
    const level = this.#failures === 1 && isError(error, epochNotOver) ? 'debug' : 'error'
    this.#ports.logger[level]({ err: error, retryMs: pauseMs }, 'the draw epochs on chain could not be kept up; tried again')
  }
}

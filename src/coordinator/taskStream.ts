import type { OpenTokenizer } from '../domain/enginePort.ts'
import type { Hash } from '../domain/hex.ts'
import { cutAtStop } from '../domain/text.ts'
import { resultInvalid } from '../errors/api.ts'
import { Notifier } from './notifier.ts'

/** What text is derived with. */
export interface TextSource {
  tokenizer: OpenTokenizer
  /** the text ends before the first of these */
  stop: readonly string[]
}

/** Tokens of one task as a miner sends them, and the text that apps read along. One copy, however many read. */
export class TaskStream {
  readonly #taskId: Hash
  readonly #prepare: () => Promise<TextSource>
  readonly #changed = new Notifier()
  /** of the running attempt */
  #attempt = 0
  #received: number[] = []
  /** shown to apps, over all attempts */
  #shown: number[] = []
  #decoded = 0
  #raw = ''
  #text = ''
  #decoder: ReturnType<OpenTokenizer['createDecoder']> | undefined
  #stop: readonly string[] = []
  #work: Promise<void> = Promise.resolve()
  #state: 'open' | 'diverged' | 'ended' = 'open'
  #failure: unknown
  #readers = 0

  /** `prepare` is called when the first app reads along */
  constructor(taskId: Hash, prepare: () => Promise<TextSource>) {
    this.#taskId = taskId
    this.#prepare = prepare
  }

  /** Apps that read along now. */
  get readers(): number {
    return this.#readers
  }

  /** True when a later attempt's tokens do not continue what apps have read. */
  get hasDiverged(): boolean {
    return this.#state === 'diverged'
  }

  /** Tokens received in `attempt`: the signed result must begin with them. */
  getReceived(attempt: number): readonly number[] {
    return attempt === this.#attempt ? this.#received : []
  }

  /**
   * Takes tokens of `attempt` from `offset` on; the same tokens sent again change nothing.
   * @throws CUCKOO_TASK_RESULT_INVALID for a gap, other tokens at the same place, or more than `maxTokens`
   */
  push(attempt: number, offset: number, tokenIds: readonly number[], maxTokens: number): void {
    if (attempt !== this.#attempt) {
      this.#attempt = attempt
      this.#received = []
    }
    const refuse = (problem: string) => resultInvalid({ taskId: this.#taskId, problem })
    if (offset > this.#received.length) throw refuse(`tokens from ${offset} on came after ${this.#received.length} tokens`)
    if (offset + tokenIds.length > maxTokens) throw refuse(`${offset + tokenIds.length} tokens are more than the ${maxTokens} asked for`)
    tokenIds.forEach((id, index) => {
      const position = offset + index
      if (position < this.#received.length) {
        if (this.#received[position] !== id) throw refuse(`token ${position} was ${this.#received[position]} and is now ${id}`)
        return
      }
      this.#received.push(id)
      this.#show(position, id)
    })
    this.#decode()
  }

  /** Ends the stream with the whole output, decoded to its last character for those who read along. */
  finish(tokenIds: readonly number[]): Promise<void> {
    tokenIds.forEach((id, position) => {
      this.#show(position, id)
    })
    if (this.#decoded > tokenIds.length) this.#diverge()
    else this.#shown.length = tokenIds.length
    this.#decode()
    this.#work = this.#work.then(
      async () => {
        if (this.#decoder !== undefined && this.#state === 'open') {
          this.#raw += await this.#decoder.flush()
          this.#text = cutAtStop(this.#raw, this.#stop)
        }
        this.#end()
      },
      (error) => this.#end(error),
    )
    return this.#work
  }

  /** Ends the stream without an output: the task failed or was cancelled. */
  abandon(): void {
    this.#end()
  }

  /**
   * The text piece by piece until it has ended or the signal aborts. Each reader has only a position in the one text.
   * @throws CuckooError when the text cannot be decoded
   */
  async *read(signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    this.#readers++
    let position = 0
    try {
      this.#decode()
      for (;;) {
        if (this.#text.length > position) {
          const piece = this.#text.slice(position)
          position = this.#text.length
          yield piece
          continue
        }
        if (this.#failure !== undefined) throw this.#failure
        if (this.#state !== 'open' || signal.aborted) return
        await this.#changed.wait(signal)
      }
    } finally {
      this.#readers--
    }
  }

  // What no decoder has seen yet may still be replaced; the rest has been read by apps.
  #show(position: number, id: number): void {
    if (this.#shown[position] === id) return
    if (position < this.#decoded) {
      this.#diverge()
      return
    }
    this.#shown.length = position
    this.#shown.push(id)
  }

  #diverge(): void {
    this.#state = 'diverged'
    this.#changed.notify()
  }

  #decode(): void {
    if (this.#readers === 0 || this.#state !== 'open') return
    this.#work = this.#work.then(async () => {
      if (this.#decoded === this.#shown.length || this.#state !== 'open') return
      const tokenIds = this.#shown.slice(this.#decoded)
      this.#decoded = this.#shown.length
      this.#decoder ??= await this.#openDecoder()
      this.#raw += await this.#decoder.push(tokenIds)
      this.#text = toCertainText(this.#raw, this.#stop)
      this.#changed.notify()
    })
    this.#work.catch((error: unknown) => this.#end(error))
  }

  async #openDecoder(): Promise<ReturnType<OpenTokenizer['createDecoder']>> {
    const { tokenizer, stop } = await this.#prepare()
    this.#stop = stop
    return tokenizer.createDecoder()
  }

  #end(failure?: unknown): void {
    this.#failure ??= failure
    if (this.#state === 'open') this.#state = 'ended'
    this.#changed.notify()
  }
}

/** `text` as far as no later character can take it back: up to a stop string, or to where one may have begun. @example toCertainText('One day.\nTh', ['\nThe end']) // 'One day.' */
export function toCertainText(text: string, stop: readonly string[]): string {
  const cut = cutAtStop(text, stop)
  if (cut.length < text.length) return cut
  return text.slice(0, text.length - Math.max(0, ...stop.map((value) => countHeld(text, value))))
}

/** Characters at the end of `text` that may be the beginning of `stop`. */
function countHeld(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) if (text.endsWith(stop.slice(0, length))) return length
  return 0
}

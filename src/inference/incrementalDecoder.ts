import type { TokenizerTraits } from './loadTokenizer.ts'

/** Asks its driver for the text of some token ids, and finally returns the text that became certain. */
export type DecodeSteps = Generator<{ tokenIds: number[]; clean: boolean }, string, string>

/** Tokens that are decoded together while text streams; older ones are final. */
const maxWindowTokens = 48

/**
 * Text piece by piece: the pieces joined equal the decoding of all tokens at once, and no piece ends inside a character.
 * Decoding is local but for three things, each held back: bytes of an unfinished character (they show as U+FFFD), byte tokens
 * of a run that still grows, and spaces that a later punctuation mark would remove. A window starts at a token that has text
 * of its own, because tokenizers strip the space at the very start.
 */
export class IncrementalDecoder {
  readonly #special: ReadonlySet<number>
  readonly #bytes: ReadonlySet<number>
  readonly #cleans: boolean
  readonly #all: number[] = []
  #window: number[] = []
  /** how many tokens of the window were there at its last boundary */
  #boundary = 0
  /** characters of the window's text that `#raw` already has */
  #taken = 0
  /** the text so far before spaces are cleaned */
  #raw = ''
  #emitted = 0

  constructor(traits: TokenizerTraits) {
    this.#special = new Set(traits.specialIds)
    this.#bytes = new Set(traits.byteIds)
    this.#cleans = traits.cleansSpaces
  }

  /** What `tokenIds` make certain. */
  *push(tokenIds: readonly number[]): DecodeSteps {
    this.#all.push(...tokenIds)
    this.#window.push(...tokenIds.filter((id) => !this.#special.has(id)))
    if (this.#window.length === 0) return ''
    const text: string = yield { tokenIds: this.#window, clean: false }
    const certain = text.replace(/\uFFFD+$/, '')
    if (certain.length > this.#taken) this.#raw += certain.slice(this.#taken)
    this.#taken = Math.max(this.#taken, certain.length)
    const whole = certain.length === text.length && !this.#bytes.has(this.#window.at(-1) as number)
    if (whole) yield* this.#shrink()
    return this.#emit()
  }

  /** The rest, after the last token. */
  *flush(): DecodeSteps {
    if (this.#all.length === 0) return ''
    const text: string = yield { tokenIds: this.#all, clean: true }
    const rest = text.slice(this.#emitted)
    this.#emitted = Math.max(this.#emitted, text.length)
    return rest
  }

  /** All text so far as if it ended here, for finding stop strings. */
  *peek(): DecodeSteps {
    const tail: string = this.#window.length === 0 ? '' : yield { tokenIds: this.#window, clean: false }
    const text = this.#raw + tail.slice(this.#taken)
    return this.#cleans ? cleanSpaces(text) : text
  }

  *#shrink(): Generator<{ tokenIds: number[]; clean: boolean }, void, string> {
    if (this.#boundary === 0) this.#boundary = this.#window.length
    if (this.#window.length <= maxWindowTokens || this.#boundary === this.#window.length) return
    const rest = this.#window.slice(this.#boundary)
    const text: string = yield { tokenIds: rest, clean: false }
    if (text === '') return
    this.#window = rest
    this.#taken = text.length
    this.#boundary = rest.length
  }

  #emit(): string {
    const certain = this.#cleans ? cleanSpaces(this.#raw.slice(0, findOpenSpace(this.#raw))) : this.#raw
    const piece = certain.slice(this.#emitted)
    this.#emitted = Math.max(this.#emitted, certain.length)
    return piece
  }
}

/** Where the part begins that a later token can still join: at a space followed only by what the patterns of `cleanSpaces` are made of. */
function findOpenSpace(text: string): number {
  let open = text.length
  for (let index = text.length - 1; index >= 0 && " 'nmtsver".includes(text[index] as string); index--) if (text[index] === ' ') open = index
  return open
}

/** `clean_up_tokenization` of @huggingface/tokenizers 0.2.0, which it does not export: same replacements in the same order. */
function cleanSpaces(text: string): string {
  return text
    .replace(/ \./g, '.')
    .replace(/ \?/g, '?')
    .replace(/ !/g, '!')
    .replace(/ ,/g, ',')
    .replace(/ ' /g, "'")
    .replace(/ n't/g, "n't")
    .replace(/ 'm/g, "'m")
    .replace(/ 's/g, "'s")
    .replace(/ 've/g, "'ve")
    .replace(/ 're/g, "'re")
}

/** Drives steps whose decoding happens in this thread. */
export function runSteps(steps: DecodeSteps, decode: (tokenIds: number[], clean: boolean) => string): string {
  let step = steps.next()
  while (!step.done) step = steps.next(decode(step.value.tokenIds, step.value.clean))
  return step.value
}

/** Drives steps whose decoding happens in another thread. */
export async function runStepsAsync(steps: DecodeSteps, decode: (tokenIds: number[], clean: boolean) => Promise<string>): Promise<string> {
  let step = steps.next()
  while (!step.done) step = steps.next(await decode(step.value.tokenIds, step.value.clean))
  return step.value
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  AutoModelForCausalLM,
  LogitsProcessor,
  LogitsProcessorList,
  type PreTrainedModel,
  StoppingCriteria,
  StoppingCriteriaList,
  type Tensor,
} from '@huggingface/transformers'
import { type Manifest, tokenizerFiles } from '../domain/manifest.ts'
import { sampleToken } from '../domain/sampling.ts'
import type { TextInput, TextOutput, TextParams } from '../domain/task.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import { contextExceeded, inferenceFailed } from '../errors/inference.ts'
import { assertFinite } from './assertFinite.ts'
import { IncrementalDecoder, runSteps } from './incrementalDecoder.ts'
import { assertTokenIds, loadModel, type ModelToLoad, toModelInputs, toReason } from './loadModel.ts'
import { type LoadedTokenizer, loadTokenizer } from './loadTokenizer.ts'

interface GeneratorHooks {
  isCancelled: () => boolean
  onTokens: (tokenIds: number[]) => void
}
export interface Generator {
  /** null when it was cancelled */
  run(input: TextInput, params: TextParams, seed: bigint, hooks: GeneratorHooks): Promise<{ output: TextOutput; firstTokenMs: number; totalMs: number } | null>
  dispose(): Promise<void>
}

/**
 * Text generation with the protocol's call shapes: the prompt in one call, then one token per call, batch 1. The choice of a
 * token is `sampleToken` over the model's logits after the processors its generation_config.json asks for.
 */
export async function createGenerator(request: ModelToLoad): Promise<Generator> {
  const { manifest } = request
  const model = await loadModel(AutoModelForCausalLM, request)
  let tokenizer: LoadedTokenizer | null = null
  return {
    run: async (input, params, seed, hooks) => {
      const startedAt = performance.now()
      assertTokenIds(manifest, model, input.tokenIds)
      assertContext(manifest, input, params)
      if (params.stop.length > 0) tokenizer ??= await readTokenizer(request)
      const watch = new OutputWatch(manifest, params, hooks, params.stop.length > 0 ? tokenizer : null)
      await generate(model, request, input, params, seed, watch)
      if (watch.end === 'cancelled') return null
      return {
        output: { tokenIds: watch.tokenIds, finishReason: watch.end ?? 'length' },
        firstTokenMs: watch.firstTokenAt - startedAt,
        totalMs: performance.now() - startedAt,
      }
    },
    dispose: async () => {
      await model.dispose()
    },
  }
}

function assertContext(manifest: Manifest, input: TextInput, params: TextParams): void {
  const facts = { promptTokens: input.tokenIds.length, maxTokens: params.maxTokens, contextTokens: manifest.limits.contextTokens }
  if (!Number.isInteger(params.maxTokens) || params.maxTokens < 1 || facts.promptTokens + facts.maxTokens > facts.contextTokens)
    throw contextExceeded({ model: manifest.model, ...facts })
}

async function readTokenizer({ folder, manifest, tokenizerGuard }: ModelToLoad): Promise<LoadedTokenizer> {
  const files = tokenizerFiles.filter((path) => manifest.files.some((file) => file.path === path))
  const contents = new Map(await Promise.all(files.map(async (path) => [path, await readFile(join(folder, path))] as const)))
  return loadTokenizer(contents, tokenizerGuard)
}

async function generate(model: PreTrainedModel, request: ModelToLoad, input: TextInput, params: TextParams, seed: bigint, watch: OutputWatch): Promise<void> {
  const { manifest } = request
  const processors = new LogitsProcessorList()
  processors.push(new ProtocolSampling(request, params, seed, input.tokenIds.length))
  const criteria = new StoppingCriteriaList()
  criteria.push(new WatchCriteria(watch))
  try {
    await model.generate({
      ...toModelInputs(input.tokenIds),
      logits_processor: processors,
      stopping_criteria: criteria,
      max_new_tokens: params.maxTokens,
      do_sample: false,
      num_beams: 1,
      eos_token_id: manifest.eosTokenIds.length === 0 ? null : manifest.eosTokenIds,
    } as unknown as Parameters<PreTrainedModel['generate']>[0])
  } catch (error) {
    if (error instanceof CuckooError) throw error
    throw inferenceFailed({ model: manifest.model, reason: toReason(error) }, { cause: error })
  }
}

/** Follows the output token by token and decides when it ends. */
class OutputWatch {
  readonly tokenIds: number[] = []
  firstTokenAt = 0
  end: 'stop' | 'length' | 'cancelled' | null = null
  readonly #eos: ReadonlySet<number>
  readonly #params: TextParams
  readonly #hooks: GeneratorHooks
  readonly #tokenizer: LoadedTokenizer | null
  readonly #decoder: IncrementalDecoder | null

  constructor(manifest: Manifest, params: TextParams, hooks: GeneratorHooks, tokenizer: LoadedTokenizer | null) {
    this.#eos = new Set(manifest.eosTokenIds)
    this.#params = params
    this.#hooks = hooks
    this.#tokenizer = tokenizer
    this.#decoder = tokenizer === null ? null : new IncrementalDecoder(tokenizer.traits)
  }

  /** True when `tokenId` ends the output. An end-of-text token is no part of it; the token that completes a stop string is. */
  take(tokenId: number): boolean {
    if (this.tokenIds.length === 0) this.firstTokenAt = performance.now()
    if (this.#hooks.isCancelled()) this.end = 'cancelled'
    else if (this.#eos.has(tokenId)) this.end = 'stop'
    else {
      this.tokenIds.push(tokenId)
      this.#hooks.onTokens([tokenId])
      if (this.#completesStop(tokenId)) this.end = 'stop'
      else if (this.tokenIds.length >= this.#params.maxTokens) this.end = 'length'
    }
    return this.end !== null
  }

  #completesStop(tokenId: number): boolean {
    if (this.#tokenizer === null || this.#decoder === null) return false
    const { decode } = this.#tokenizer
    runSteps(this.#decoder.push([tokenId]), decode)
    const text = runSteps(this.#decoder.peek(), decode)
    return this.#params.stop.some((stop) => stop !== '' && text.includes(stop))
  }
}

/** The protocol's choice of a token, as a processor: leaves the chosen one alone above minus infinity, so that greedy search takes it. */
class ProtocolSampling extends LogitsProcessor {
  readonly #request: ModelToLoad
  readonly #params: TextParams
  readonly #seed: bigint
  readonly #promptTokens: number

  constructor(request: ModelToLoad, params: TextParams, seed: bigint, promptTokens: number) {
    super()
    this.#request = request
    this.#params = params
    this.#seed = seed
    this.#promptTokens = promptTokens
  }

  override _call(inputIds: bigint[][], logits: Tensor): Tensor {
    const data = logits.data as Float32Array
    const { manifest, device } = this.#request
    assertFinite({ data, dims: logits.dims }, 'scores', { model: manifest.model, part: 'logits', dtype: manifest.dtype, device })
    const token = sampleToken(data, this.#params, this.#seed, (inputIds[0] as bigint[]).length - this.#promptTokens)
    data.fill(Number.NEGATIVE_INFINITY)
    data[token] = 0
    return logits
  }
}

class WatchCriteria extends StoppingCriteria {
  readonly #watch: OutputWatch

  constructor(watch: OutputWatch) {
    super()
    this.#watch = watch
  }

  override _call(inputIds: number[][]): boolean[] {
    return inputIds.map((ids) => this.#watch.take(Number(ids.at(-1))))
  }
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AutoModelForCausalLM, AutoTokenizer, env, LogLevel, Tensor, TextGenerationPipeline } from '@huggingface/transformers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine, OpenModel } from '../../src/domain/enginePort.ts'
import type { Dtype } from '../../src/domain/manifest.ts'
import { sampleToken } from '../../src/domain/sampling.ts'
import type { TextParams } from '../../src/domain/task.ts'
import { cutAtStop } from '../../src/domain/text.ts'
import { createEngine } from '../../src/inference/createEngine.ts'
import { findTestModel, storyteller, type TestModel, whyNoTestModel } from '../support/models.ts'

const greedy: TextParams = { maxTokens: 60, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' }
const stories = findTestModel('karpathy/stories260K')
const prompt = 'Once upon a time'

let engine: Engine
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-text-'))
  engine = createEngine({ modelsDirectory: directory, offline: true })
  env.allowRemoteModels = false
  env.logLevel = LogLevel.NONE
})
afterAll(async () => {
  await engine.dispose()
  rmSync(directory, { recursive: true, force: true })
})

const open = (model: TestModel, dtype: Dtype = 'fp32') => engine.openModel({ model: model.model, source: model.source, dtype, device: 'cpu' })

/** What transformers.js itself makes of a prompt: its own tokenizer, `generate` and decoding, in this thread. */
async function runPlainPipeline({ directory: parent, model }: TestModel, dtype: Dtype): Promise<{ text: string; promptIds: number[]; outputIds: number[] }> {
  const folder = join(parent, model)
  const [tokenizer, lm] = [await AutoTokenizer.from_pretrained(folder), await AutoModelForCausalLM.from_pretrained(folder, { dtype, device: 'cpu' })]
  const generate = new TextGenerationPipeline({ task: 'text-generation', model: lm, tokenizer })
  const answer = (await generate(prompt, { max_new_tokens: greedy.maxTokens, do_sample: false, return_full_text: true })) as { generated_text: string }[]
  const inputs = tokenizer(prompt, { add_special_tokens: tokenizer.add_bos_token ?? false })
  const ids = ((await lm.generate({ ...inputs, max_new_tokens: greedy.maxTokens, do_sample: false })) as Tensor).tolist()[0].map(Number) as number[]
  const promptIds = inputs.input_ids.tolist()[0].map(Number) as number[]
  await lm.dispose()
  return { text: (answer[0] as { generated_text: string }).generated_text, promptIds, outputIds: ids.slice(promptIds.length) }
}

describe.each([
  ['cuckoo/storyteller', storyteller],
  ['karpathy/stories260K', stories],
] as const)('%s', (_, model) => {
  it.for(['fp32', 'q8'] as const)('in %s gives what the plain pipeline gives, token for token', async (dtype, context) => {
    if (model === null) return context.skip(`skipped: ${whyNoTestModel}`)
    const plain = await runPlainPipeline(model, dtype)
    const ours = await open(model, dtype)
    const tokenIds = await ours.tokenizer.encodeText(prompt)
    expect(tokenIds).toEqual(plain.promptIds)
    const streamed: number[] = []
    const { output, firstTokenMs, totalMs } = await ours.generateText({ tokenIds }, greedy, 0n, { onTokens: (ids) => streamed.push(...ids) })
    const ended = ours.manifest.eosTokenIds.includes(plain.outputIds.at(-1) as number)
    expect(output).toEqual({ tokenIds: ended ? plain.outputIds.slice(0, -1) : plain.outputIds, finishReason: ended ? 'stop' : 'length' })
    expect(streamed).toEqual(output.tokenIds)
    expect(await ours.tokenizer.decode([...tokenIds, ...output.tokenIds])).toBe(plain.text)
    expect(firstTokenMs).toBeGreaterThan(0)
    expect(totalMs).toBeGreaterThanOrEqual(firstTokenMs)
    await ours.dispose()
  })
})

describe('a run', () => {
  let model: OpenModel
  let tokenIds: number[]
  beforeAll(async () => {
    model = await open(storyteller)
    tokenIds = await model.tokenizer.encodeText(prompt)
  })
  afterAll(() => model.dispose())
  const sampled: TextParams = { ...greedy, temperature: 1, topP: 0.95, topK: 100, maxTokens: 40 }
  const run = (params: TextParams, seed = 0n) => model.generateText({ tokenIds }, params, seed)

  it('is a function of model, input, params and seed', async () => {
    const [first, again, other] = [await run(sampled, 7n), await run(sampled, 7n), await run(sampled, 8n)]
    expect(again.output).toEqual(first.output)
    expect(other.output).not.toEqual(first.output)
    expect((await run({ ...sampled, topK: 1 }, 9n)).output).toEqual((await run({ ...greedy, maxTokens: 40 })).output)
  })

  it('chooses each token as sampleToken does over the logits of the plain model, its position counted from 0', async () => {
    const { output } = await run({ ...sampled, maxTokens: 8 }, 7n)
    const lm = await AutoModelForCausalLM.from_pretrained(join(storyteller.directory, storyteller.model), { dtype: 'fp32', device: 'cpu' })
    for (const [position, token] of output.tokenIds.entries()) {
      const ids = [...tokenIds, ...output.tokenIds.slice(0, position)]
      const tensor = (values: number[]) => new Tensor('int64', BigInt64Array.from(values, BigInt), [1, ids.length])
      const { logits } = (await lm({ input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)) })) as { logits: Tensor }
      expect(sampleToken(logits.slice(null, -1, null).data as Float32Array, sampled, 7n, position)).toBe(token)
    }
    await lm.dispose()
  })

  it('keeps the tokens up to the one that completes a stop string', async () => {
    const free = await run({ ...greedy, maxTokens: 60 })
    const text = await model.tokenizer.decode(free.output.tokenIds)
    const stop = text.slice(20, 23)
    const { output } = await run({ ...greedy, maxTokens: 60, stop: ['never to be found', stop] })
    expect(output.finishReason).toBe('stop')
    expect(free.output.tokenIds.slice(0, output.tokenIds.length)).toEqual(output.tokenIds)
    const stopped = await model.tokenizer.decode(output.tokenIds)
    expect(cutAtStop(stopped, [stop])).toBe(text.slice(0, text.indexOf(stop)))
    expect(await model.tokenizer.decode(output.tokenIds.slice(0, -1))).not.toContain(stop)
  })

  it('ends at an end token, which is no part of the output', async () => {
    const chat = await model.tokenizer.encodeChat([{ role: 'user', content: 'Tell me a story about a fox.' }], '2026-01-01')
    const { output } = await model.generateText({ tokenIds: chat }, { ...greedy, maxTokens: model.manifest.limits.contextTokens - chat.length }, 0n)
    expect(output.finishReason).toBe('stop')
    for (const id of model.manifest.eosTokenIds) expect(output.tokenIds).not.toContain(id)
  })

  it('stops within a token when it is cancelled, and the next one runs', async () => {
    const long = { ...greedy, temperature: 2, maxTokens: 300 }
    let seed = 0n
    let whole = await run(long, seed)
    while (whole.output.tokenIds.length < 150 && seed < 20n) whole = await run(long, ++seed)
    expect(whole.output.tokenIds.length).toBeGreaterThanOrEqual(150)
    const cancel = async () => {
      const controller = new AbortController()
      const reason = new Error('the app left')
      let seen = 0
      let abortedAt = 0
      const onTokens = () => {
        if (++seen !== 3) return
        abortedAt = performance.now()
        controller.abort(reason)
      }
      await expect(model.generateText({ tokenIds }, long, seed, { signal: controller.signal, onTokens })).rejects.toBe(reason)
      expect(seen).toBe(3)
      await run({ ...greedy, maxTokens: 1 })
      return performance.now() - abortedAt
    }
    // The shortest of a few: other programs want the machine's time, too.
    const times: number[] = []
    for (let count = 0; count < 5; count++) times.push(await cancel())
    expect(Math.min(...times)).toBeLessThan(whole.totalMs / 2)
  })

  it('is refused before it starts when its signal has aborted, or aborts while it waits', async () => {
    const before = AbortSignal.abort(new Error('too late'))
    await expect(model.generateText({ tokenIds }, greedy, 0n, { signal: before })).rejects.toThrow('too late')
    const controller = new AbortController()
    const first = run(greedy)
    const second = model.generateText({ tokenIds }, greedy, 0n, { signal: controller.signal })
    controller.abort(new Error('changed my mind'))
    await expect(second).rejects.toThrow('changed my mind')
    await first
  })

  it('waits for those before it', async () => {
    const ends: number[] = []
    await Promise.all([20, 1, 5].map((maxTokens, index) => run({ ...greedy, maxTokens }).then(() => ends.push(index))))
    expect(ends).toEqual([0, 1, 2])
  })

  it.each([
    ['no tokens', [], greedy, 'CUCKOO_INFERENCE_INPUT_INVALID'],
    ['a token outside the vocabulary', [1, 10_000_000], greedy, 'CUCKOO_INFERENCE_TOKEN_UNKNOWN'],
    ['a negative token', [-1], greedy, 'CUCKOO_INFERENCE_TOKEN_UNKNOWN'],
    ['a fraction', [1.5], greedy, 'CUCKOO_INFERENCE_TOKEN_UNKNOWN'],
    ['a prompt longer than the context', new Array(5_000).fill(5), { ...greedy, maxTokens: 1 }, 'CUCKOO_INFERENCE_CONTEXT_EXCEEDED'],
    ['more output than fits', [5], { ...greedy, maxTokens: 100_000 }, 'CUCKOO_INFERENCE_CONTEXT_EXCEEDED'],
    ['NaN output tokens', [5], { ...greedy, maxTokens: Number.NaN }, 'CUCKOO_INFERENCE_CONTEXT_EXCEEDED'],
  ])('refuses %s, and the model goes on', async (_, ids, params, code) => {
    await expect(model.generateText({ tokenIds: ids }, params, 0n)).rejects.toThrow(expect.objectContaining({ code, kind: 'usage' }))
    expect((await run({ ...greedy, maxTokens: 2 })).output.tokenIds).toHaveLength(2)
  })

  it('refuses to embed', async () => {
    await expect(model.embed({ tokenIds: [[5]] }, { normalize: true })).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_INFERENCE_KIND_WRONG' }))
  })
})

it('disposing stops the present run, refuses those that wait and all later ones, and the engine opens the model again', async () => {
  const model = await open(storyteller)
  const tokenIds = await model.tokenizer.encodeText(prompt)
  const runs = [1, 2].map((seed) => model.generateText({ tokenIds }, { ...greedy, maxTokens: 300, temperature: 2 }, BigInt(seed)))
  const outcomes = Promise.allSettled(runs)
  await model.dispose()
  for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'CUCKOO_INFERENCE_DISPOSED' } })
  await expect(model.generateText({ tokenIds }, greedy, 0n)).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_INFERENCE_DISPOSED' }))
  const again = await open(storyteller)
  expect((await again.generateText({ tokenIds }, { ...greedy, maxTokens: 2 }, 0n)).output.tokenIds).toHaveLength(2)
  await again.dispose()
})

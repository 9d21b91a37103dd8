/**
 * Checks the exported model in transformers.js against the references of evaluate.py and writes
 * the stories it tells: `node check_model.ts FOLDER [MODELS]`, where FOLDER holds reference.json
 * and MODELS (default: the folder three levels up) holds cuckoo/storyteller.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AutoModelForCausalLM, AutoTokenizer, env, Tensor } from '@huggingface/transformers'

interface Reference {
  strings: { text: string; ids: number[] }[]
  sequences: { ids: number[]; logits: number[][] }[]
  documents: { ids: number[]; learned: boolean[] }[]
  probes: { prompt: string; ids: number[] }[]
}

type Feeds = Record<string, Tensor>

const MODEL_ID = 'cuckoo/storyteller'
const folder = resolve(process.argv[2] ?? '.')
const reference: Reference = JSON.parse(readFileSync(join(folder, 'reference.json'), 'utf8'))
env.localModelPath = resolve(process.argv[3] ?? join(import.meta.dirname, '..', '..', '..'))
env.allowRemoteModels = false

const integers = (values: number[]) =>
  new Tensor('int64', BigInt64Array.from(values.map(BigInt)), [1, values.length])

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

/** One forward pass over `ids` behind the cache `past`; returns logits by position and the new cache. */
async function forward(model: Model, ids: number[], past?: Feeds) {
  const { num_hidden_layers: layers, num_key_value_heads: heads, head_dim: size } = model.config as unknown as {
    num_hidden_layers: number
    num_key_value_heads: number
    head_dim: number
  }
  const cache: Feeds = past ?? {}
  if (!past) {
    for (const layer of range(0, layers)) {
      for (const part of ['key', 'value']) {
        cache[`past_key_values.${layer}.${part}`] = new Tensor('float32', new Float32Array(0), [1, heads, 0, size])
      }
    }
  }
  const done = cache['past_key_values.0.key']?.dims[2] ?? 0
  const session = (model as unknown as { sessions: { model: Session } }).sessions.model
  const feeds = Object.fromEntries(
    Object.entries({
      input_ids: integers(ids),
      attention_mask: integers(new Array(done + ids.length).fill(1)),
      position_ids: integers(range(done, done + ids.length)),
      ...cache,
    }).map(([name, tensor]) => [name, tensor.ort_tensor]),
  )
  const outputs = await session.run(feeds)
  const flat = outputs.logits?.data as Float32Array
  const width = flat.length / ids.length
  const logits = ids.map((_, position) => flat.subarray(position * width, (position + 1) * width))
  const next: Feeds = {}
  for (const [name, tensor] of Object.entries(outputs)) {
    if (name.startsWith('present')) next[name.replace('present', 'past_key_values')] = new Tensor(tensor as never)
  }
  return { logits, next }
}

type Model = Awaited<ReturnType<typeof AutoModelForCausalLM.from_pretrained>>
type Session = { run(feeds: Record<string, unknown>): Promise<Record<string, { data: unknown }>> }

const difference = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let largest = 0
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs((a[i] ?? 0) - (b[i] ?? 0)))
  return largest
}

const argmax = (row: ArrayLike<number>) => Array.from(row).reduce((best, x, i, all) => (x > (all[best] ?? 0) ? i : best), 0)

/** Largest difference of logits against PyTorch, and of token-by-token against one pass. */
async function compareLogits(model: Model) {
  let againstTorch = 0
  let againstSteps = 0
  let moved = 0
  let positions = 0
  for (const { ids, logits } of reference.sequences) {
    const whole = await forward(model, ids)
    let past: Feeds | undefined
    for (const [position, id] of ids.entries()) {
      const step = await forward(model, [id], past)
      past = step.next
      const expected = whole.logits[position] ?? []
      againstSteps = Math.max(againstSteps, difference(expected, step.logits[0] ?? []))
      againstTorch = Math.max(againstTorch, difference(expected, logits[position] ?? []))
      moved += argmax(expected) === argmax(logits[position] ?? []) ? 0 : 1
      positions++
    }
  }
  return { againstTorch, againstSteps, moved, positions }
}

/** Held-out loss in nats per learned token. */
async function heldOutLoss(model: Model) {
  let sum = 0
  let count = 0
  for (const { ids, learned } of reference.documents) {
    const { logits } = await forward(model, ids.slice(0, -1))
    for (const [position, row] of logits.entries()) {
      if (!learned[position + 1]) continue
      const top = row.reduce((a, b) => Math.max(a, b))
      const total = row.reduce((a, b) => a + Math.exp(b - top), 0)
      sum += top + Math.log(total) - (row[ids[position + 1] ?? 0] ?? 0)
      count++
    }
  }
  return sum / count
}

const tokenizer = await AutoTokenizer.from_pretrained(MODEL_ID)
const encode = (text: string) => tokenizer.encode(text, { add_special_tokens: false })
const sameIds = reference.strings.filter(({ text, ids }) => String(encode(text)) === String(ids)).length
const sameText = reference.strings.filter(({ text, ids }) => tokenizer.decode(ids) === text).length
console.log(`tokenizer: same ids for ${sameIds}, same text for ${sameText} of ${reference.strings.length} strings`)

const stories: Record<string, string[]> = {}
for (const dtype of ['fp32', 'q8'] as const) {
  const model = await AutoModelForCausalLM.from_pretrained(MODEL_ID, { dtype, device: 'cpu' })
  console.log(dtype, await compareLogits(model), 'held-out loss', (await heldOutLoss(model)).toFixed(4))
  const started = performance.now()
  let tokens = 0
  for (const sample of [false, true]) {
    const told: string[] = []
    for (const { prompt } of reference.probes) {
      const inputs = tokenizer.apply_chat_template([{ role: 'user', content: prompt }], {
        add_generation_prompt: true,
        return_dict: true,
      }) as { input_ids: Tensor }
      const length = inputs.input_ids.dims[1] ?? 0
      const output = (await model.generate({
        ...inputs,
        max_new_tokens: 200,
        do_sample: sample,
        temperature: 0.8,
        top_k: 0,
      } as never)) as Tensor
      tokens += (output.dims[1] ?? 0) - length
      told.push(tokenizer.batch_decode(output.slice(null, [length, output.dims[1] ?? 0]), { skip_special_tokens: true })[0] ?? '')
    }
    stories[`${dtype}, ${sample ? 'sampled at temperature 0.8' : 'greedy'}`] = told
  }
  const seconds = (performance.now() - started) / 1000
  console.log(`${dtype}: ${(tokens / seconds).toFixed(0)} tokens/s, ${((seconds / 200) * 1000).toFixed(0)} ms per story`)
}
writeFileSync(join(folder, 'stories.json'), JSON.stringify(stories))

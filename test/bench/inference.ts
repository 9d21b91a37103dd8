/**
 * Inference through the engine against the bare transformers.js pipeline, in one run: tokens per second, cost per task, event-loop
 * lag of this thread while the model works, start of a model, and memory that comes back when it is disposed.
 *   node test/bench/inference.ts [owner/model] [dtype]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { AutoModelForCausalLM, AutoTokenizer, env, LogLevel, type Tensor } from '@huggingface/transformers'
import type { OpenModel } from '../../src/domain/enginePort.ts'
import type { Dtype } from '../../src/domain/manifest.ts'
import { createEngine } from '../../src/inference/createEngine.ts'
import { findTestModel, storyteller } from '../support/models.ts'

process.env['ORT_DISABLE_TELEMETRY'] = '1'

const rounds = 5
const maxTokens = 200
const prompt = 'Once upon a time'
const params = { maxTokens, temperature: 0, topP: 1, topK: 0, stop: [], date: '2026-01-01' }

const [name = storyteller.model, dtype = 'fp32'] = process.argv.slice(2)
const found = name === storyteller.model ? storyteller : findTestModel(name)
if (found === null) throw new Error(`CUCKOO_TEST_MODELS_DIR has no ${name}`)

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] as number
const toMiB = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`
const print = (what: string, value: string) => console.log(`${what.padEnd(58)} ${value}`)

async function createPlain() {
  env.allowRemoteModels = false
  env.logLevel = LogLevel.NONE
  const folder = join((found as typeof storyteller).directory, name)
  const tokenizer = await AutoTokenizer.from_pretrained(folder)
  const model = await AutoModelForCausalLM.from_pretrained(folder, { dtype: dtype as Dtype, device: 'cpu' })
  const inputs = tokenizer(prompt, { add_special_tokens: tokenizer.add_bos_token ?? false })
  return {
    run: async () => {
      const startedAt = performance.now()
      const ids = ((await model.generate({ ...inputs, max_new_tokens: maxTokens, do_sample: false })) as Tensor).dims.at(-1) as number
      return { tokens: ids - (inputs.input_ids.dims.at(-1) as number), ms: performance.now() - startedAt }
    },
    dispose: () => model.dispose(),
  }
}

async function runEngine(model: OpenModel, tokenIds: number[]) {
  const startedAt = performance.now()
  const { output } = await model.generateText({ tokenIds }, params, 0n, { onTokens: () => undefined })
  return { tokens: output.tokenIds.length + (output.finishReason === 'stop' ? 1 : 0), ms: performance.now() - startedAt }
}

const directory = mkdtempSync(join(tmpdir(), 'cuckoo-bench-'))
const engine = createEngine({ modelsDirectory: directory, offline: true })
const open = () => engine.openModel({ model: name, source: found.source, dtype: dtype as Dtype, device: 'cpu' })

const rssBefore = process.memoryUsage().rss
const openStartedAt = performance.now()
const model = await open()
const openMs = performance.now() - openStartedAt
const tokenIds = await model.tokenizer.encodeText(prompt)
await runEngine(model, tokenIds)

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
const startedAt = performance.now()
while (performance.now() - startedAt < 3_000) await runEngine(model, tokenIds)
delay.disable()
const engineLag = { p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 }

const plain = await createPlain()
await plain.run()
const pairs: { engine: { tokens: number; ms: number }; plain: { tokens: number; ms: number } }[] = []
for (let round = 0; round < rounds; round++) {
  const first = round % 2 === 0 ? await runEngine(model, tokenIds) : await plain.run()
  const second = round % 2 === 0 ? await plain.run() : await runEngine(model, tokenIds)
  pairs.push(round % 2 === 0 ? { engine: first, plain: second } : { engine: second, plain: first })
}
delay.reset()
delay.enable()
await plain.run()
delay.disable()

print('model', `${name} ${dtype}, ${pairs[0]?.plain.tokens} tokens after ${tokenIds.length}`)
print('open: verify, start the worker, load', `${openMs.toFixed(0)} ms`)
print('bare pipeline, median of 5', `${median(pairs.map(({ plain: { tokens, ms } }) => (tokens / ms) * 1000)).toFixed(0)} tokens/s`)
print('engine (worker thread, streamed), median of 5', `${median(pairs.map(({ engine: { tokens, ms } }) => (tokens / ms) * 1000)).toFixed(0)} tokens/s`)
print(
  'engine / bare, same task, median of 5',
  `${median(pairs.map((pair) => pair.engine.ms / pair.plain.ms)).toFixed(3)} × (${median(pairs.map((pair) => pair.engine.ms - pair.plain.ms)).toFixed(1)} ms)`,
)
print(
  'event-loop lag during engine runs (timer of 1 ms)',
  `p50 ${engineLag.p50.toFixed(1)}, p99 ${engineLag.p99.toFixed(1)}, max ${engineLag.max.toFixed(1)} ms`,
)
print('event-loop lag during a bare run', `p50 ${(delay.percentile(50) / 1e6).toFixed(1)}, p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`)
await plain.dispose()
await model.dispose()

const sizes: number[] = []
for (let round = 0; round < rounds; round++) {
  const again = await open()
  await runEngine(again, tokenIds)
  await again.dispose()
  sizes.push(process.memoryUsage().rss)
}
print('RSS before the first model, after opening and disposing 5 more', `${toMiB(rssBefore)}, ${sizes.map(toMiB).join(', ')}`)
await engine.dispose()
rmSync(directory, { recursive: true, force: true })

import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Engine, OpenModel } from '../../src/domain/enginePort.ts'
import { createEngine } from '../../src/inference/createEngine.ts'
import { toDiffusersModelFiles } from '../support/diffusersModel.ts'
import { writeModelFiles } from '../support/onnx.ts'
import { toTinyDecoder, vocabularySize } from '../support/tinyDecoder.ts'
import { toTinyModel } from '../support/tinyModels.ts'
import { specialWords, toWordId, toWordTokenizer } from '../support/tinyTokenizer.ts'

/** Each letter more doubles the time of the search: 24 of them take 0.3 s, and these hours. */
const poison = `${'a'.repeat(40)}!`
const evil = { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated', invert: false }
const timedOut = expect.objectContaining({ code: 'CUCKOO_TOKENIZER_TIMED_OUT' })

let engine: Engine
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-bounded-'))
  engine = createEngine({ modelsDirectory: join(directory, 'hub'), offline: true, tokenizerTimeoutMs: 2_000 })
})
afterAll(async () => {
  await engine.dispose()
  rmSync(directory, { recursive: true, force: true })
})

/** A word tokenizer that searches each text with {@link evil} first. */
function toEvilTokenizer(words: string[]) {
  const files = toWordTokenizer(words) as { 'tokenizer.json': { pre_tokenizer: object }; 'tokenizer_config.json': object }
  const json = files['tokenizer.json']
  return { ...files, 'tokenizer.json': { ...json, pre_tokenizer: { type: 'Sequence', pretokenizers: [evil, json.pre_tokenizer] } } }
}

function open(model: string, files: Parameters<typeof writeModelFiles>[1]): Promise<OpenModel> {
  writeModelFiles(join(directory, model), files)
  return engine.openModel({ model, source: { from: 'folder', directory }, dtype: 'fp32', device: 'cpu' })
}

/** what a call says that waited behind the one that was stopped: the worker has ended */
const ended = expect.objectContaining({ code: 'CUCKOO_INFERENCE_DISPOSED' })

it('an image prompt that its model’s tokenizer would search for hours fails in time, and the model opened again draws as ever', async () => {
  const files = toDiffusersModelFiles()
  const tokenizer = toEvilTokenizer(['red', 'green'])['tokenizer.json']
  const all = { ...files, 'tokenizer/tokenizer.json': tokenizer, 'tokenizer/tokenizer_config.json': { pad_token: '[PAD]' } }
  const params = { count: 1, width: 64, height: 64, steps: 2, guidance: 2, scheduler: 'ddim' } as const
  const draw = (model: OpenModel, prompt: string, negativePrompt = '') => model.generateImages({ prompt, negativePrompt }, params, 7n)
  const model = await open('test/image', all)
  const before = await draw(model, 'red green')
  const [attack, behind] = [draw(model, poison), draw(model, 'green')]
  await expect(attack).rejects.toEqual(timedOut)
  await expect(behind).rejects.toEqual(ended)
  await model.dispose()
  const again = await open('test/image', all)
  expect((await draw(again, 'red green')).output).toEqual(before.output)
  await expect(draw(again, 'red', poison)).rejects.toEqual(timedOut)
  await again.dispose()
})

it('so does a text of a pipeline', async () => {
  const files = { ...toTinyModel('text-classification'), ...toEvilTokenizer(['good', 'bad', 'the', 'film', 'is']) }
  const label = (model: OpenModel, text: string) => model.runPipeline({ kind: 'text-classification', input: { text }, params: { topK: 2 } }, null)
  const model = await open('test/labels', files)
  const before = await label(model, 'the film is good')
  await expect(label(model, poison)).rejects.toEqual(timedOut)
  const again = await open('test/labels', files)
  expect((await label(again, 'the film is good')).output).toEqual(before.output)
})

it('and text that a model makes, which is decoded to find where to stop', async () => {
  const words = Array.from({ length: vocabularySize - specialWords.length }, (_, index) => (index === 0 ? poison : `w${index}`))
  const files = toWordTokenizer(words) as { 'tokenizer.json': object; 'tokenizer_config.json': object }
  const decoder = { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: '' }
  const model = await open('test/decoder', { ...toTinyDecoder('fp32'), ...files, 'tokenizer.json': { ...files['tokenizer.json'], decoder } })
  const params = { maxTokens: 4, temperature: 0, topP: 1, topK: 0, stop: ['.'], date: '2026-01-01' }
  const poisonId = toWordId(words, poison)
  const write = (tokenIds: number[]) => model.generateText({ tokenIds }, params, 0n)
  expect((await write([poisonId + 1, poisonId + 2])).output.tokenIds).toHaveLength(4)
  // Each token is the sum of the two before it.
  await expect(write([0, poisonId])).rejects.toEqual(timedOut)
})

it('a call that ends when it has been given up goes no further: its thread may be ended at any moment', async () => {
  const worker = new Worker(new URL('../support/stoppedTokenizer.ts', import.meta.url), { execArgv: [] })
  const said: string[] = []
  worker.on('message', (text: string) => said.push(text))
  await once(worker, 'message')
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(said).toEqual(['encoded: fine', 'given up'])
  expect(await worker.terminate()).toBe(1)
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Engine, OpenModel } from '../../src/domain/enginePort.ts'
import { createEngine } from '../../src/inference/createEngine.ts'
import { loadTokenizer } from '../../src/inference/loadTokenizer.ts'
import { toDiffusersModelFiles } from '../support/diffusersModel.ts'
import { writeModelFiles } from '../support/onnx.ts'
import { toTinyModel } from '../support/tinyModels.ts'
import { toWordTokenizer } from '../support/tinyTokenizer.ts'

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

it('an image prompt that its model’s tokenizer would search for hours fails in time, and the next one is drawn as ever', async () => {
  const files = toDiffusersModelFiles()
  const tokenizer = toEvilTokenizer(['red', 'green'])['tokenizer.json']
  const model = await open('test/image', { ...files, 'tokenizer/tokenizer.json': tokenizer, 'tokenizer/tokenizer_config.json': { pad_token: '[PAD]' } })
  const params = { count: 1, width: 64, height: 64, steps: 2, guidance: 2, scheduler: 'ddim' } as const
  const draw = (prompt: string, negativePrompt = '') => model.generateImages({ prompt, negativePrompt }, params, 7n)
  const before = await draw('red green')
  await expect(draw(poison)).rejects.toEqual(timedOut)
  await expect(draw('red', poison)).rejects.toEqual(timedOut)
  expect((await draw('red green')).output).toEqual(before.output)
})

it('so does a text of a pipeline', async () => {
  const model = await open('test/labels', { ...toTinyModel('text-classification'), ...toEvilTokenizer(['good', 'bad', 'the', 'film', 'is']) })
  const label = (text: string) => model.runPipeline({ kind: 'text-classification', input: { text }, params: { topK: 2 } }, null)
  const before = await label('the film is good')
  await expect(label(poison)).rejects.toEqual(timedOut)
  expect((await label('the film is good')).output).toEqual(before.output)
})

it('and text that a model makes, which is decoded to find where to stop', () => {
  const words = toWordTokenizer(['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', 'good']) as { 'tokenizer.json': object; 'tokenizer_config.json': object }
  const json = { ...words['tokenizer.json'], decoder: { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: '' } }
  const files = { 'tokenizer.json': json, 'tokenizer_config.json': words['tokenizer_config.json'] }
  const tokenizer = loadTokenizer(new Map(Object.entries(files).map(([path, value]) => [path, Buffer.from(JSON.stringify(value))])), 2_000)
  expect(() => tokenizer.decode([4])).toThrow(timedOut)
  expect(tokenizer.decode([5])).toBe('good')
})

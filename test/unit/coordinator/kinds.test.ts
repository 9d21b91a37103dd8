import { afterEach, describe, expect, test } from 'vitest'
import type { TaskRequest } from '../../../src/api/requestSchemas.ts'
import type { TaskContent, TaskOutput } from '../../../src/domain/task.ts'
import { type TaskKind, taskKinds, taskKindTraits } from '../../../src/domain/taskKinds.ts'
import {
  createCoordinatorRig,
  createKindManifest,
  createLetterManifest,
  createPng,
  createSubmission,
  createWav,
  endCoordinatorRigs,
  type MinerOptions,
  toAudioMedia,
  toImageMedia,
  toLetterIds,
} from '../../support/coordinatorRig.ts'

afterEach(endCoordinatorRigs)

const png = createPng(40, 30)
const pngUrl = `data:image/png;base64,${Buffer.from(png).toString('base64')}`
const image = toImageMedia(png, 40, 30)
const wav = createWav(2_500)
const wavUrl = `data:audio/wav;base64,${Buffer.from(wav).toString('base64')}`
const audio = toAudioMedia(wav, 2_500)
const drawn = [createPng(64, 32, 1), createPng(64, 32, 2)]
const [first, second] = drawn.map((data) => toImageMedia(data, 64, 32)) as [typeof image, typeof image]
const large = createPng(80, 60)
const base64 = Buffer.from(new Float32Array([0.5, -2]).buffer).toString('base64')
const label = (name: string, score = 0.5) => ({ label: name, score })
const object = (box: object, score = 0.75) => ({ ...label('cat', score), box: { left: 1, top: 2, right: 40, bottom: 30, ...box } })

type Refusal = readonly [change: { input?: object; params?: object; seed?: bigint }, expected: { code?: string; param?: string; message?: RegExp }]
type Lie = readonly [output: unknown, problem: RegExp]

interface KindCase<K extends TaskKind> {
  request: Pick<Extract<TaskRequest, { kind: K }>, 'input' | 'params'>
  /** as the miner gets it, with defaults written out; null: it depends on the day */
  content: Pick<Extract<TaskContent, { kind: unknown }>, 'input' | 'params'> | null
  output: TaskOutput
  /** media that the output names */
  media?: Uint8Array[]
  units: bigint
  /** requests that admission refuses, and the parameter or code that it names */
  refused: readonly Refusal[]
  /** outputs that are refused, and what is said of them */
  lies: readonly Lie[]
}

const invalid = 'CUCKOO_API_REQUEST_INVALID'
const noSeed = [{ seed: 1n }, { code: 'CUCKOO_API_PARAMETER_UNSUPPORTED', param: 'seed' }] as const
const textUrl = `data:;base64,${Buffer.from('no medium at all').toString('base64')}`
const noMedium = [{ input: { media: textUrl } }, { code: 'CUCKOO_MEDIA_UNKNOWN' }] as const
const labelLies = [
  [{ labels: [] }, /it has 0 labels, 1 to/],
  [{ labels: [label('a', 0.9), label('a', 0.1)] }, /it gives a label twice/],
] as const

const cases: { readonly [K in TaskKind]: KindCase<K> } = {
  chat: {
    request: { input: { messages: [{ role: 'user', content: 'hi' }] }, params: { maxTokens: 5 } },
    content: null,
    output: { tokenIds: toLetterIds('ok'), finishReason: 'stop' },
    units: 2n,
    refused: [
      [{ input: { prompt: 'hi' } }, { code: invalid, param: 'input.messages' }],
      [{ params: { maxTokens: 129 } }, { code: invalid, message: /129 is more than the 128 output tokens/ }],
    ],
    lies: [[{ tokenIds: toLetterIds('okokok'), finishReason: 'length' }, /6 tokens are more than the 5 asked for/]],
  },
  completion: {
    request: { input: { prompt: 'hi' }, params: { maxTokens: 2, date: '2026-01-01' } },
    content: { input: { tokenIds: [1, ...toLetterIds('hi')] }, params: { maxTokens: 2, temperature: 1, topP: 1, topK: 0, stop: [], date: '2026-01-01' } },
    output: { tokenIds: toLetterIds('ok'), finishReason: 'length' },
    units: 2n,
    refused: [[{ params: { count: 1 } }, { code: invalid, param: 'params.count' }]],
    lies: [[{ images: [image] }, /its output is not that of a task of kind completion/]],
  },
  embedding: {
    request: { input: { texts: ['a', 'bc'] }, params: {} },
    content: {
      input: {
        tokenIds: [
          [1, ...toLetterIds('a')],
          [1, ...toLetterIds('bc')],
        ],
      },
      params: { normalize: true },
    },
    output: { dimensions: 2, embeddings: [base64, base64] },
    units: 5n,
    refused: [noSeed, [{ input: { texts: ['a', 'b', 'c', 'd', 'e'] } }, { code: invalid, message: /5 texts are more than the 4/ }]],
    lies: [[{ dimensions: 2, embeddings: [base64] }, /it has 1 vectors for 2 texts/]],
  },
  image: {
    request: { input: { prompt: 'a red square', negativePrompt: 'blue' }, params: { count: 2, height: 32, steps: 4 } },
    content: {
      input: { prompt: 'a red square', negativePrompt: 'blue' },
      params: { count: 2, width: 64, height: 32, steps: 4, guidance: 2, scheduler: 'euler' },
    },
    output: { images: [first, second] },
    media: drawn,
    units: 8n,
    refused: [
      [{ params: { count: 5 } }, { code: invalid, param: 'count', message: /5 images are more than the 4/ }],
      [{ params: { width: 65 } }, { code: invalid, param: 'size', message: /65 by 64 pixels are not multiples of 8/ }],
      [{ params: { width: 264 } }, { code: invalid, param: 'size', message: /16896 pixels are more than the 16384/ }],
      [{ params: { steps: 51 } }, { code: invalid, param: 'steps' }],
      [{ params: { scheduler: 'lcm' } }, { code: invalid, param: 'scheduler', message: /none of euler, ddim/ }],
      [{ params: { guidance: -0.5 } }, { code: invalid, param: 'params.guidance' }],
      ...[0, 0.5, 1].map((guidance): [object, object] => [{ params: { guidance } }, { code: 'CUCKOO_API_PARAMETER_UNSUPPORTED', message: /negativePrompt/ }]),
      [{ input: { prompt: 'x'.repeat(4_001) } }, { code: invalid, param: 'input.prompt' }],
    ],
    lies: [
      [{ images: [first] }, /it has 1 images for 2/],
      [{ images: [first, image] }, /its image has 40 by 30 pixels, not 64 by 32/],
      [{ images: [first, { ...second, type: 'image/jpeg' }] }, /its image is image\/jpeg, not image\/png/],
      [{ images: [first, { ...second, sha256: image.sha256 }] }, /names the medium 0x[0-9a-f]{64}, which is not here/],
      [{ images: [first, { ...second, bytes: second.bytes + 1 }] }, /has another bytes than it says/],
    ],
  },
  transcription: {
    request: { input: { media: wavUrl }, params: { timestamps: 'segment' } },
    content: { input: { media: audio }, params: { language: null, task: 'transcribe', timestamps: 'segment' } },
    output: { text: 'one two', segments: [{ startMs: 0, endMs: 2_500, text: 'one two' }], words: [] },
    units: 3n,
    refused: [
      noSeed,
      noMedium,
      [{ input: { media: pngUrl } }, { code: 'CUCKOO_MEDIA_UNKNOWN' }],
      [{ params: { language: 'english!' } }, { code: invalid, param: 'params.language' }],
    ],
    lies: [
      [{ text: 'one two' }, /its output is not that of a task of kind transcription/],
      [{ text: 'one', segments: [{ startMs: 0, endMs: 2_501, text: 'one' }], words: [] }, /its segment 0 is not in order, or not inside the audio/],
      [
        {
          text: '',
          segments: [
            { startMs: 9, endMs: 9, text: '' },
            { startMs: 8, endMs: 9, text: '' },
          ],
          words: [],
        },
        /its segment 1 is not in order/,
      ],
      [{ text: 'one', segments: [], words: [{ startMs: 0, endMs: 1, text: 'one' }] }, /it has words, which were not asked for/],
    ],
  },
  speech: {
    request: { input: { text: 'hello' }, params: { voice: 'ada' } },
    content: { input: { text: 'hello' }, params: { voice: 'ada', speed: 1 } },
    output: { audio },
    media: [wav],
    units: 5n,
    refused: [
      noSeed,
      [{ params: { speed: 9 } }, { code: invalid, param: 'params.speed' }],
      [{ input: { text: 'x'.repeat(4_097) } }, { code: invalid, param: 'input.text' }],
    ],
    lies: [
      [{ audio: { ...audio, durationMs: 9 } }, /has another durationMs than it says/],
      [{ audio: { ...audio, type: 'audio/mpeg' } }, /its audio is audio\/mpeg/],
    ],
  },
  translation: {
    request: { input: { text: 'hello' }, params: { target: 'fr' } },
    content: { input: { text: 'hello' }, params: { source: null, target: 'fr', maxTokens: 42 } },
    output: { text: 'bonjour' },
    units: 5n,
    refused: [noSeed, [{ params: { maxTokens: 129 } }, { code: invalid, param: 'params.maxTokens' }]],
    lies: [[{ text: 7 }, /body output/]],
  },
  summarization: {
    request: { input: { text: 'hello' }, params: { maxTokens: 7 } },
    content: { input: { text: 'hello' }, params: { maxTokens: 7 } },
    output: { text: 'hi' },
    units: 5n,
    refused: [noSeed, [{ input: { text: '' } }, { code: invalid, param: 'input.text' }]],
    lies: [[{ labels: [label('a')] }, /its output is not that of a task of kind summarization/]],
  },
  'text-classification': {
    request: { input: { text: 'good' }, params: { topK: 2 } },
    content: { input: { text: 'good' }, params: { topK: 2 } },
    output: { labels: [label('positive', 0.9), label('negative', 0.1)] },
    units: 4n,
    refused: [
      noSeed,
      [{ params: { topK: 0 } }, { code: invalid, param: 'params.topK' }],
      [{ input: { media: pngUrl } }, { code: invalid, param: 'input.text' }],
    ],
    lies: [
      ...labelLies,
      [{ labels: [label('a'), label('b'), label('c')] }, /it has 3 labels, 1 to 2 were asked for/],
      [{ labels: [label('a', 1.5)] }, /body output/],
    ],
  },
  'zero-shot-classification': {
    request: { input: { text: 'good', labels: ['news', 'praise'] }, params: {} },
    content: { input: { text: 'good', labels: ['news', 'praise'] }, params: { multiLabel: false } },
    output: { labels: [label('praise', 0.9), label('news', 0.1)] },
    units: 8n,
    refused: [
      noSeed,
      [{ input: { text: 'good', labels: ['a', 'a'] } }, { code: invalid, param: 'input.labels' }],
      [{ input: { text: 'good', labels: [] } }, { code: invalid, param: 'input.labels' }],
    ],
    lies: [...labelLies, [{ labels: [label('blame')] }, /its label 'blame' was not asked for/]],
  },
  'token-classification': {
    request: { input: { text: 'Ada in Paris' }, params: {} },
    content: { input: { text: 'Ada in Paris' }, params: {} },
    output: { entities: [{ ...label('PER', 0.9), text: 'Ada', start: 0, end: 3 }] },
    units: 12n,
    refused: [noSeed, [{ params: { topK: 1 } }, { code: invalid, param: 'params.topK' }]],
    lies: [
      [{ entities: [{ ...label('PER'), text: 'Ada', start: 9, end: 13 }] }, /its entity 0 is not inside the text/],
      [{ entities: [{ ...label('PER'), text: 'Ada', start: 3, end: 3 }] }, /its entity 0 is not inside the text/],
    ],
  },
  'image-classification': {
    request: { input: { media: pngUrl }, params: {} },
    content: { input: { media: image }, params: { topK: 5 } },
    output: { labels: [label('cat')] },
    units: 1n,
    refused: [
      noSeed,
      noMedium,
      [{ input: { media: wavUrl } }, { code: 'CUCKOO_MEDIA_UNKNOWN' }],
      [{ input: { text: 'a cat' } }, { code: invalid, param: 'input.media' }],
    ],
    lies: [...labelLies],
  },
  'object-detection': {
    request: { input: { media: pngUrl }, params: {} },
    content: { input: { media: image }, params: { threshold: 0.5 } },
    output: { objects: [object({})] },
    units: 1n,
    refused: [noSeed, noMedium, [{ params: { threshold: 2 } }, { code: invalid, param: 'params.threshold' }]],
    lies: [
      [{ objects: [object({ right: 41 })] }, /its box 0 is not inside the image/],
      [{ objects: [object({ left: 30, right: 20 })] }, /its box 0 is not inside the image/],
      [{ objects: [object({ top: -1 })] }, /body output/],
      [{ objects: [object({}, 0.25)] }, /its object 0 has the score 0.25, under 0.5/],
    ],
  },
  captioning: {
    request: { input: { media: pngUrl }, params: { maxTokens: 9 } },
    content: { input: { media: image }, params: { maxTokens: 9 } },
    output: { text: 'a grey wall' },
    units: 1n,
    refused: [noSeed, noMedium, [{ params: { maxTokens: 200 } }, { code: invalid, param: 'params.maxTokens' }]],
    lies: [[{ text: 'a', segments: [], words: [] }, /its output is not that of a task of kind captioning/]],
  },
  'depth-estimation': {
    request: { input: { media: pngUrl }, params: {} },
    content: { input: { media: image }, params: {} },
    output: { image },
    media: [png],
    units: 1n,
    refused: [noSeed, noMedium],
    lies: [[{ image: first }, /its image has 64 by 32 pixels, not 40 by 30/]],
  },
  'image-to-image': {
    request: { input: { media: pngUrl }, params: {} },
    content: { input: { media: image }, params: {} },
    output: { image: toImageMedia(large, 80, 60) },
    media: [large],
    units: 1n,
    refused: [noSeed, noMedium, [{ params: { scale: 2 } }, { code: invalid, param: 'params.scale' }]],
    lies: [[{ image: { ...toImageMedia(large, 80, 60), width: 81 } }, /has another width than it says/]],
  },
}

function toModels(kind: TaskKind): NonNullable<MinerOptions['models']> {
  const { modelKind } = taskKindTraits[kind]
  if (modelKind === 'text') return [{ manifest: createLetterManifest('test/text') }]
  if (modelKind === 'embedding') return [{ manifest: createLetterManifest('test/embedding', { kind: 'embedding', pooling: 'mean' }) }]
  return [{ manifest: createKindManifest(modelKind) }]
}

const toBody = (kind: TaskKind, change: { input?: object; params?: object; seed?: bigint } = {}) => {
  const { input, params } = cases[kind].request
  const asked = { input: change.input ?? input, params: change.params ?? params, ...(change.seed !== undefined && { seed: change.seed }) }
  return { model: `test/${taskKindTraits[kind].modelKind}`, kind, dryRun: false, ...asked } as TaskRequest & { dryRun: boolean }
}

describe.each(taskKinds)('%s', (kind) => {
  const { content, output, media, units, refused, lies } = cases[kind] as KindCase<TaskKind>

  test('is asked, answered and paid; the miner is asked for no file that only it needs', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1, { models: toModels(kind) })
    expect(miner.opened.wanted).toHaveLength(['text', 'embedding'].includes(taskKindTraits[kind].modelKind) ? 1 : 0)
    const dry = await rig.app.createTask({ body: { ...toBody(kind), dryRun: true } })
    expect(dry).toMatchObject({ task: null, unit: taskKindTraits[kind].unit, miners: 1 })
    const { task } = await rig.app.createTask({ body: toBody(kind) })
    const id = task?.id ?? '0x'
    const done = await miner.answerWith(output, media)
    if (content !== null) expect(done.content).toEqual({ kind, ...content })
    const price = units * dry.unitPriceWei
    expect(await rig.app.getTask({ params: { id } })).toMatchObject({
      state: 'done',
      kind,
      output,
      priceWei: price,
      text: 'text' in output ? output.text : 'tokenIds' in output ? 'ok' : null,
    })
    expect(await rig.app.getReceipt({ params: { id } })).toMatchObject({ content: done.content, output, receipt: { result: { units } } })
  })

  test.each(refused.map(([change, expected], index) => ({ index, change, expected })))('refuses bad input $index at the door', async ({ change, expected }) => {
    const rig = await createCoordinatorRig()
    await rig.openMiner(1, { models: toModels(kind) })
    // Past the client's own checks: as a careless peer writes it.
    const { seed, ...body } = toBody(kind, change)
    const response = await fetch(`${rig.serving.url}/v1/tasks`, {
      method: 'POST',
      headers: { authorization: `Bearer ${rig.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, seed: seed?.toString() }),
    })
    const { error } = (await response.json()) as { error: { code: string; param: string | null; message: string } }
    expect(response.status).toBeGreaterThanOrEqual(400)
    if (expected.code !== undefined) expect(error.code).toBe(expected.code)
    if (expected.param !== undefined) expect(error.param).toBe(expected.param)
    if (expected.message !== undefined) expect(error.message).toMatch(expected.message)
    expect(await rig.store.countTasksByState()).toMatchObject({ queued: 0, assigned: 0 })
  })

  test.each(lies.map(([lie, problem], index) => ({ index, lie, problem })))('refuses false output $index', async ({ lie, problem }) => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1, { models: toModels(kind) })
    await rig.app.createTask({ body: toBody(kind) })
    const task = await miner.take()
    for (const data of media ?? []) await miner.putMedia(task, data)
    const submission = createSubmission(rig.chain.domainSeparator, miner.signer, task, lie as TaskOutput, { units })
    await expect(miner.submit(task, submission)).rejects.toThrow(problem)
    const state = await rig.store.getTask(task.assignment.taskId)
    expect([state?.state, state?.receipt]).toEqual(['assigned', null])
  })
})

test('a model of another kind is refused by name', async () => {
  const rig = await createCoordinatorRig()
  await rig.openMiner(1, { models: [{ manifest: createKindManifest('captioning') }] })
  const asking = rig.app.createTask({ body: { ...toBody('image-classification'), model: 'test/captioning' } as never })
  await expect(asking).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_MODEL_KIND_MISMATCH' }))
})

test('GET /v1/models tells kind, unit, price, limits, image traits, proof and audit rule', async () => {
  const rig = await createCoordinatorRig()
  const models = [createKindManifest('image'), createKindManifest('speech'), createLetterManifest('test/text')].map((manifest) => ({ manifest }))
  await rig.openMiner(1, { models })
  const { data } = await rig.app.listModels({})
  const facts = new Map(data.map(({ id, cuckoo }) => [id, cuckoo]))
  expect(facts.get('test/image')).toMatchObject({
    kind: 'image',
    tasks: ['image'],
    unit: 'image step',
    unitPriceWei: '5000000000000',
    audit: 'pixels',
    proof: 'none',
    maxBatch: 4,
    maxCharacters: 4_000,
    image: { width: 64, schedulers: ['euler', 'ddim'] },
  })
  expect(facts.get('test/speech')).toMatchObject({ audit: null, image: null })
  expect(facts.get('test/text')).toMatchObject({ tasks: ['chat', 'completion'], unit: 'output token', chat: true })
})

test.each([
  ['an image model without traits', createKindManifest('image', { image: undefined as never }), /has no traits of an image model/],
  [
    'one whose defaults are outside its limits',
    createKindManifest('image', { image: { ...(createKindManifest('image').image as never as object), steps: 51 } as never }),
    /outside its own limits/,
  ],
  [
    'a text model that may say nothing',
    createLetterManifest('test/mute', { limits: { contextTokens: 9, maxOutputTokens: 0, maxBatch: 1 } }),
    /may not give a single output token/,
  ],
  ['a text model without tokenizer', createLetterManifest('test/dumb', { files: createKindManifest('image').files }), /it has no tokenizer.json/],
])('%s is refused at the handshake', async (_, manifest, problem) => {
  const rig = await createCoordinatorRig()
  const miner = await rig.openMiner(1, { models: [{ manifest: JSON.parse(JSON.stringify(manifest)) }] })
  expect(miner.opened.refused[0]?.message).toMatch(problem)
})

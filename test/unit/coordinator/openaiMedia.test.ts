import OpenAI, { toFile } from 'openai'
import { afterEach, describe, expect, test } from 'vitest'
import { formatSubtitles } from '../../../src/coordinator/formatSubtitles.ts'
import {
  type CoordinatorRig,
  createCoordinatorRig,
  createKindManifest,
  createPng,
  createWav,
  endCoordinatorRigs,
  toAudioMedia,
  toImageMedia,
} from '../../support/coordinatorRig.ts'

afterEach(endCoordinatorRigs)

const createOpenAi = (rig: CoordinatorRig) => new OpenAI({ apiKey: rig.apiKey, baseURL: `${rig.serving.url}/v1`, maxRetries: 0 })
const wav = createWav(2_500)
const refused = (status: number, code: string, param: string | null = null) => expect.objectContaining({ status, code, param })

describe('images.generate of the official client', () => {
  const pngs = [createPng(64, 64, 1), createPng(64, 64, 2)]
  const output = { images: pngs.map((data) => toImageMedia(data, 64, 64)) }
  const models = [{ manifest: createKindManifest('image') }]

  test('b64_json: the PNGs, with the extensions passed on and the task in the headers', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1, { models })
    const answering = miner.answerWith(output, pngs)
    const extensions = { seed: '18446744073709551615', steps: 5, guidance: 3, negative_prompt: 'blue', scheduler: 'ddim' }
    const asked = { model: 'test/image', prompt: 'a red square', n: 2, size: '64x64', response_format: 'b64_json', quality: 'auto', ...extensions }
    const { data, response } = await createOpenAi(rig)
      .images.generate(asked as never)
      .withResponse()
    const task = await answering
    const images = (data as OpenAI.ImagesResponse).data
    expect(images?.map(({ b64_json: base64 }) => base64)).toEqual(pngs.map((png) => Buffer.from(png).toString('base64')))
    expect(task.content).toEqual({
      kind: 'image',
      input: { prompt: 'a red square', negativePrompt: 'blue' },
      params: { count: 2, width: 64, height: 64, steps: 5, guidance: 3, scheduler: 'ddim' },
    })
    expect(task.assignment.seed).toBe(2n ** 64n - 1n)
    expect(['task', 'miner', 'receipt'].map((name) => response.headers.get(`x-cuckoo-${name}`))).toEqual([
      task.assignment.taskId,
      miner.node,
      task.assignment.taskId,
    ])
  })

  test('url: links that a browser can open, under the public URL where there is one; model and size by default; guidance 0 as asked', async () => {
    const rig = await createCoordinatorRig()
    let miner = await rig.openMiner(1, { models })
    const one = { images: output.images.slice(0, 1) }
    let answering = miner.answerWith(one, pngs.slice(0, 1))
    const { data } = await createOpenAi(rig).images.generate({ prompt: 'a red square', size: 'auto', guidance: 0 } as never as { prompt: string })
    expect((await answering).content.params).toMatchObject({ guidance: 0 })
    const url = data?.[0]?.url ?? ''
    expect(url).toBe(`${rig.serving.url}/v1/media/${one.images[0]?.sha256}`)
    expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(Buffer.from(pngs[0] as Uint8Array))
    await rig.restart({ publicUrl: 'https://ai.example.org/cuckoo/' })
    miner = await rig.openMiner(1, { models })
    answering = miner.answerWith(one, pngs.slice(0, 1))
    const again = await createOpenAi(rig).images.generate({ prompt: 'a red square' })
    await answering
    expect(again.data?.[0]?.url).toBe(`https://ai.example.org/cuckoo/v1/media/${one.images[0]?.sha256}`)
  })

  test.each([
    [{ quality: 'hd' }, 'quality'],
    [{ style: 'vivid' }, 'style'],
    [{ background: 'transparent' }, 'background'],
    [{ output_format: 'webp' }, 'output_format'],
    [{ stream: true }, 'stream'],
    [{ toString: 'x' }, 'toString'],
  ])('%j is refused by name', async (more, param) => {
    const rig = await createCoordinatorRig()
    await rig.openMiner(1, { models })
    const asking = createOpenAi(rig).images.generate({ prompt: 'a', ...more } as never)
    await expect(asking).rejects.toThrow(refused(400, 'CUCKOO_API_PARAMETER_UNSUPPORTED', param))
  })

  test('without an image model there is none to take by default', async () => {
    const rig = await createCoordinatorRig()
    await rig.openMiner(1)
    await expect(createOpenAi(rig).images.generate({ prompt: 'a' })).rejects.toThrow(refused(404, 'CUCKOO_MODEL_UNKNOWN'))
  })
})

describe('audio.transcriptions.create of the official client', () => {
  const models = [{ manifest: createKindManifest('transcription') }]
  const segments = [
    { startMs: 0, endMs: 1_000, text: ' One.' },
    { startMs: 1_000, endMs: 2_500, text: ' Two.' },
  ]
  const words = [{ startMs: 0, endMs: 1_000, text: 'One.' }]
  const transcript = { text: 'One. Two.', segments: [], words: [] }

  async function transcribe(asked: object, output: object) {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1, { models })
    const answering = miner.answerWith(output as never)
    const file = await toFile(wav, 'speech.wav', { type: 'audio/wav' })
    const answer = await createOpenAi(rig).audio.transcriptions.create({ model: 'test/transcription', file, ...asked } as never)
    return { answer: answer as unknown, task: await answering }
  }

  test('json', async () => {
    const { answer, task } = await transcribe({ language: 'EN', temperature: 0 }, transcript)
    expect(answer).toEqual({ text: 'One. Two.' })
    expect(task.content).toEqual({
      kind: 'transcription',
      input: { media: toAudioMedia(wav, 2_500) },
      params: { language: 'en', task: 'transcribe', timestamps: 'none' },
    })
  })

  test('text', async () => {
    expect((await transcribe({ response_format: 'text' }, transcript)).answer).toBe('One. Two.\n')
  })

  test('srt and vtt', async () => {
    const timed = { ...transcript, segments }
    expect((await transcribe({ response_format: 'srt' }, timed)).answer).toBe(
      '1\n00:00:00,000 --> 00:00:01,000\nOne.\n\n2\n00:00:01,000 --> 00:00:02,500\nTwo.\n\n',
    )
    expect((await transcribe({ response_format: 'vtt' }, timed)).answer).toBe(
      'WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nOne.\n\n00:00:01.000 --> 00:00:02.500\nTwo.\n\n',
    )
    expect(formatSubtitles([{ startMs: 3_723_004, endMs: 86_400_000, text: 'a\n\nb --> c' }], 'vtt')).toBe(
      'WEBVTT\n\n01:02:03.004 --> 24:00:00.000\na b → c\n\n',
    )
  })

  test('verbose_json with segments, or with words', async () => {
    const head = { task: 'transcribe', language: 'unknown', duration: 2.5, text: 'One. Two.' }
    expect((await transcribe({ response_format: 'verbose_json' }, { ...transcript, segments })).answer).toEqual({
      ...head,
      segments: [
        { id: 0, start: 0, end: 1, text: ' One.' },
        { id: 1, start: 1, end: 2.5, text: ' Two.' },
      ],
    })
    const asked = { response_format: 'verbose_json', timestamp_granularities: ['word'] }
    expect((await transcribe(asked, { ...transcript, words })).answer).toEqual({ ...head, words: [{ word: 'One.', start: 0, end: 1 }] })
  })

  test.each([
    [{ prompt: 'names: Ada' }, 'CUCKOO_API_PARAMETER_UNSUPPORTED', 'prompt'],
    [{ temperature: 0.5 }, 'CUCKOO_API_PARAMETER_UNSUPPORTED', 'temperature'],
    [{ stream: true }, 'CUCKOO_API_PARAMETER_UNSUPPORTED', 'stream'],
    [{ timestamp_granularities: ['word'] }, 'CUCKOO_API_PARAMETER_UNSUPPORTED', 'timestamp_granularities'],
    [{ response_format: 'verbose_json', timestamp_granularities: ['word', 'segment'] }, 'CUCKOO_API_PARAMETER_UNSUPPORTED', 'timestamp_granularities'],
    [{ response_format: 'docx' }, 'CUCKOO_API_REQUEST_INVALID', 'response_format'],
    [{ language: 'klingon' }, 'CUCKOO_API_REQUEST_INVALID', 'language'],
    [{ file: 'not a file' }, 'CUCKOO_API_REQUEST_INVALID', 'file'],
  ])('%j is refused by name', async (more, code, param) => {
    const rig = await createCoordinatorRig()
    await rig.openMiner(1, { models })
    const file = await toFile(wav, 'speech.wav')
    const asking = createOpenAi(rig).audio.transcriptions.create({ model: 'test/transcription', file, ...more } as never)
    await expect(asking).rejects.toThrow(refused(400, code, param))
  })
})

describe('audio.speech.create of the official client', () => {
  const models = [{ manifest: createKindManifest('speech') }]

  test('wav: the bytes that the miner handed in', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1, { models })
    const answering = miner.answerWith({ audio: toAudioMedia(wav, 2_500) }, [wav])
    const response = await createOpenAi(rig).audio.speech.create({ model: 'test/speech', input: 'hello', voice: 'ada', response_format: 'wav' })
    const task = await answering
    expect(response.headers.get('content-type')).toBe('audio/wav')
    expect(response.headers.get('x-cuckoo-task')).toBe(task.assignment.taskId)
    expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(wav))
    expect(task.content).toEqual({ kind: 'speech', input: { text: 'hello' }, params: { voice: 'ada', speed: 1 } })
  })

  test.each([
    [{ response_format: 'mp3' }, 'response_format'],
    [{ instructions: 'whisper' }, 'instructions'],
  ])('%j is refused by name', async (more, param) => {
    const rig = await createCoordinatorRig()
    await rig.openMiner(1, { models })
    const asking = createOpenAi(rig).audio.speech.create({ model: 'test/speech', input: 'hello', voice: 'ada', ...more } as never)
    await expect(asking).rejects.toThrow(refused(400, 'CUCKOO_API_PARAMETER_UNSUPPORTED', param))
  })
})

import { afterEach, describe, expect, test } from 'vitest'
import { type CoordinatorRig, createCoordinatorRig, createKindManifest, createLetterManifest, endCoordinatorRigs } from '../../support/coordinatorRig.ts'

afterEach(endCoordinatorRigs)

async function post(rig: CoordinatorRig, path: string, body: string): Promise<{ status: number; code: string; param: string | null }> {
  const headers = { authorization: `Bearer ${rig.apiKey}`, 'content-type': 'application/json' }
  const response = await fetch(`${rig.serving.url}${path}`, { method: 'POST', headers, body })
  const { error } = (await response.json()) as { error: { code: string; param: string | null } }
  return { status: response.status, code: error.code, param: error.param }
}

async function createCountingRig(): Promise<{ rig: CoordinatorRig; encoded: string[] }> {
  const encoded: string[] = []
  // A miner that says nothing for a while stays.
  const rig = await createCoordinatorRig({ config: { heartbeatMs: 60_000 }, onEncode: (text) => encoded.push(text.slice(0, 100)) })
  const embedding = createLetterManifest('test/vectors', { kind: 'embedding', pooling: 'mean' })
  await rig.openMiner(1, { models: [{ manifest: createLetterManifest() }, { manifest: embedding }, { manifest: createKindManifest('image') }] })
  return { rig, encoded }
}

const routes = [
  ['/v1/chat/completions', { messages: [{ role: 'user', content: 'hi' }] }],
  ['/v1/completions', { prompt: 'hi' }],
  ['/v1/embeddings', { input: 'hi' }],
  ['/v1/images/generations', { prompt: 'hi' }],
  ['/v1/audio/speech', { input: 'hi' }],
  ['/v1/tasks', { kind: 'completion', input: { prompt: 'hi' } }],
] as const

describe('fault 14: names that are no names', () => {
  const names = [
    '../../etc/passwd',
    'test/../letters',
    'test/..',
    '/test/letters',
    'test//letters',
    'test\\letters',
    'test/%2e%2e/letters',
    '%2e%2e%2fletters',
    'test/letters\u0000.json',
    'test/letters\n',
    '',
    ' ',
    'x'.repeat(5_000),
    `test/${'x'.repeat(4_995)}`,
  ]
  test.each(routes)('%s answers 400 to each', async (path, rest) => {
    const { rig, encoded } = await createCountingRig()
    for (const model of names) {
      const answer = await post(rig, path, JSON.stringify({ ...rest, model }))
      expect([model.slice(0, 40), answer]).toEqual([model.slice(0, 40), { status: 400, code: 'CUCKOO_API_REQUEST_INVALID', param: 'model' }])
    }
    expect(await post(rig, path, JSON.stringify({ ...rest, model: 'gpt-4.1:latest' }))).toMatchObject({ status: 404, code: 'CUCKOO_MODEL_UNKNOWN' })
    expect(encoded).toEqual([])
  })
})

describe('fault 16: requests that are too much are refused before they are tokenised', () => {
  test('a prompt of 10 million characters', async () => {
    const { rig, encoded } = await createCountingRig()
    const long = 'x'.repeat(10_000_000)
    const bodies = [
      ['/v1/chat/completions', { model: 'test/letters', messages: [{ role: 'user', content: long }] }],
      ['/v1/completions', { model: 'test/letters', prompt: long }],
      ['/v1/embeddings', { model: 'test/vectors', input: long }],
      ['/v1/images/generations', { model: 'test/image', prompt: long }],
      ['/v1/tasks', { model: 'test/letters', kind: 'completion', input: { prompt: long } }],
    ] as const
    for (const [path, body] of bodies) {
      expect([path, await post(rig, path, JSON.stringify(body))]).toEqual([path, expect.objectContaining({ status: 413, code: 'CUCKOO_API_BODY_TOO_LARGE' })])
    }
    expect(encoded).toEqual([])
  })

  test('a prompt that fits the body and no context', async () => {
    const { rig, encoded } = await createCountingRig()
    const long = 'x'.repeat(1_000_000)
    const tooLong = { status: 400, code: 'CUCKOO_TASK_PROMPT_TOO_LONG' }
    expect(await post(rig, '/v1/completions', JSON.stringify({ model: 'test/letters', prompt: long }))).toMatchObject(tooLong)
    expect(await post(rig, '/v1/embeddings', JSON.stringify({ model: 'test/vectors', input: ['a', long] }))).toMatchObject(tooLong)
    const task = { model: 'test/image', kind: 'image', input: { prompt: long } }
    expect(await post(rig, '/v1/tasks', JSON.stringify(task))).toMatchObject({ status: 400, param: 'input.prompt' })
    expect(encoded).toEqual([])
  })

  test.each(['NaN', '-1', '0', '1.5', '1e308', '1e999', '9007199254740993', '"7"', '[]', '129'])('max_tokens %s', async (value) => {
    const { rig, encoded } = await createCountingRig()
    const answers = [
      await post(rig, '/v1/completions', `{"model":"test/letters","prompt":"hi","max_tokens":${value}}`),
      await post(rig, '/v1/chat/completions', `{"model":"test/letters","messages":[{"role":"user","content":"hi"}],"max_completion_tokens":${value}}`),
      await post(rig, '/v1/tasks', `{"model":"test/letters","kind":"completion","input":{"prompt":"hi"},"params":{"maxTokens":${value}}}`),
    ]
    for (const { status, code } of answers) expect([status, code]).toEqual([400, 'CUCKOO_API_REQUEST_INVALID'])
    expect(encoded).toEqual([])
  })

  test('JSON 10,000 levels deep', async () => {
    const { rig } = await createCountingRig()
    for (const [path] of routes)
      for (const deep of [`${'['.repeat(10_000)}${']'.repeat(10_000)}`, `{"model":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`, '['.repeat(30_000)])
        expect(await post(rig, path, deep)).toMatchObject({ status: 400, code: 'CUCKOO_API_REQUEST_INVALID' })
  })
})

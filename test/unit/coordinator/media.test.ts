import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { crc32, deflateSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/domain/canonical.ts'
import { taskKindTraits } from '../../../src/domain/taskKinds.ts'
import {
  type CoordinatorRig,
  createCoordinatorRig,
  createKindManifest,
  createPng,
  createSubmission,
  createWav,
  endCoordinatorRigs,
  toAudioMedia,
  toImageMedia,
} from '../../support/coordinatorRig.ts'

afterEach(endCoordinatorRigs)

const png = createPng(40, 30)
const wav = createWav(1_200)
const refused = (code: string, more: object = {}) => expect.objectContaining({ code, ...more })
/** A miner that says nothing for a while stays. */
const patient = { config: { heartbeatMs: 60_000 } }
const classify = (media: string | { sha256: `0x${string}` }) => ({
  body: { model: 'test/image-classification', kind: 'image-classification' as const, input: { media }, params: {}, dryRun: false },
})
const draw = (count = 1) => ({
  body: { model: 'test/image', kind: 'image' as const, input: { prompt: 'a cat' }, params: { count, width: 40, height: 32 }, dryRun: false },
})
const toDataUrl = (data: Uint8Array, type = 'image/png') => `data:${type};base64,${Buffer.from(data).toString('base64')}`

/** A square PNG; `pixels` are its rows, each behind a 0. */
function toPng(side: number, { bits, colourType, pixels }: { bits: number; colourType: number; pixels: Uint8Array }): Uint8Array {
  const chunk = (type: string, data: Uint8Array) => {
    const named = Buffer.concat([Buffer.from(type), data])
    const frame = Buffer.alloc(8)
    frame.writeUInt32BE(data.length)
    frame.writeUInt32BE(crc32(named), 4)
    return Buffer.concat([frame.subarray(0, 4), named, frame.subarray(4)])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side)
  header.writeUInt32BE(side, 4)
  header[8] = bits
  header[9] = colourType
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))])
}

/** A PNG of one bit per pixel: some 100 KB that decode to 30,000 × 30,000 pixels. */
function createPngBomb(): Uint8Array {
  const side = 30_000
  return toPng(side, { bits: 1, colourType: 0, pixels: deflateSync(Buffer.alloc((side / 8 + 1) * side)) })
}

async function postTask(rig: CoordinatorRig, body: object): Promise<{ status: number; error: { code: string; message: string; hint: string } }> {
  const headers = { authorization: `Bearer ${rig.apiKey}`, 'content-type': 'application/json' }
  const response = await fetch(`${rig.serving.url}/v1/tasks`, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: response.status, ...((await response.json()) as { error: { code: string; message: string; hint: string } }) }
}

describe('uploads', () => {
  test('a medium is what its first bytes say, whatever it is called; it comes back with its type and may be kept for ever', async () => {
    const rig = await createCoordinatorRig()
    const headers = { authorization: `Bearer ${rig.apiKey}`, 'content-type': 'text/html' }
    const uploaded = await fetch(`${rig.serving.url}/v1/media`, { method: 'POST', headers, body: Buffer.from(png) })
    expect(await uploaded.json()).toEqual(toImageMedia(png, 40, 30))
    expect(await rig.app.uploadMedia({ body: wav })).toEqual(toAudioMedia(wav, 1_200))
    // No key: a browser that is shown a link has none.
    const got = await fetch(`${rig.serving.url}/v1/media/${sha256(png)}`)
    expect(Object.fromEntries(got.headers)).toMatchObject({
      'content-type': 'image/png',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    })
    expect(Buffer.from(await got.arrayBuffer())).toEqual(Buffer.from(png))
    expect((await rig.app.call('getMedia', { params: { hash: sha256(wav) } })).headers['content-type']).toBe('audio/wav')
  })

  test('what is no medium is not kept, and prompts do not leave as media', async () => {
    const rig = await createCoordinatorRig()
    await expect(rig.app.uploadMedia({ body: Buffer.from('<script>alert(1)</script>') })).rejects.toThrow(refused('CUCKOO_MEDIA_UNKNOWN', { httpStatus: 422 }))
    expect(await rig.store.getBlob(sha256('<script>alert(1)</script>'))).toBeNull()
    await expect(rig.app.uploadMedia({ body: wav.subarray(0, -1) })).rejects.toThrow(/The audio cannot be read: it is cut/)
    await expect(rig.app.uploadMedia({ body: png.subarray(0, -1) })).rejects.toThrow(/The image cannot be read: the file is cut/)
    const secret = await rig.store.putBlob(Buffer.from('{"tokenIds":[1,2,3]}'))
    await expect(rig.app.getMedia({ params: { hash: secret } })).rejects.toThrow(refused('CUCKOO_API_MEDIA_ABSENT', { httpStatus: 404 }))
  })

  test('an image of more bytes than any kind takes is 413', async () => {
    const rig = await createCoordinatorRig()
    const tooLarge = Buffer.concat([png, Buffer.alloc(20 * 2 ** 20)])
    await expect(rig.app.uploadMedia({ body: tooLarge })).rejects.toThrow(refused('CUCKOO_API_MEDIA_TOO_LARGE', { httpStatus: 413 }))
  })

  test('audio may have more bytes than an image', async () => {
    const rig = await createCoordinatorRig()
    const long = createWav(22 * 65_536)
    expect(await rig.app.uploadMedia({ body: long })).toEqual(toAudioMedia(long, 22 * 65_536))
  })

  test('a task names an upload by its SHA-256, or brings a data: URL; the miner that holds it gets the bytes, and no other', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000] })
    const models = [{ manifest: createKindManifest('image-classification') }]
    const miner = await rig.openMiner(1, { models })
    const other = await rig.openMiner(2, { models })
    await expect(rig.app.createTask(classify({ sha256: sha256(png) }))).rejects.toThrow(refused('CUCKOO_API_MEDIA_ABSENT'))
    const url = toDataUrl(createPng(9, 9))
    await rig.app.createTask({ body: { ...classify(url).body, dryRun: true } })
    expect(await rig.store.getBlob(sha256(createPng(9, 9)))).toBeNull()
    await rig.app.uploadMedia({ body: png })
    for (const media of [{ sha256: sha256(png) }, toDataUrl(png, 'text/plain')]) {
      await rig.app.createTask({ body: { ...classify(media).body, miner: miner.node } })
      const task = await miner.take()
      expect(task.content.input).toEqual({ media: toImageMedia(png, 40, 30) })
      expect(Buffer.from(await miner.fetchMedia(task, sha256(png)))).toEqual(Buffer.from(png))
      await expect(other.fetchMedia(task, sha256(png))).rejects.toThrow(refused('CUCKOO_TASK_LEASE_LOST'))
      await rig.app.uploadMedia({ body: wav })
      await expect(miner.fetchMedia(task, sha256(wav))).rejects.toThrow(refused('CUCKOO_API_MEDIA_ABSENT'))
      await miner.submit(task, createSubmission(rig.chain.domainSeparator, miner.signer, task, { labels: [{ label: 'cat', score: 1 }] }))
      await expect(miner.fetchMedia(task, sha256(png))).rejects.toThrow(refused('CUCKOO_TASK_LEASE_LOST'))
    }
  })
})

describe('output media', () => {
  const models = [{ manifest: createKindManifest('image') }]
  const first = createPng(40, 32, 1)
  const second = createPng(40, 32, 2)
  const output = { images: [toImageMedia(first, 40, 32)] }

  test('come from the miner that holds the task, under their own hash, of the right kind and size, and no more than the task has', async () => {
    const rig = await createCoordinatorRig({ miners: [21_000, 21_000] })
    const miner = await rig.openMiner(1, { models })
    const other = await rig.openMiner(2, { models })
    const { body } = draw()
    await rig.app.createTask({ body: { ...body, miner: miner.node } })
    const task = await miner.take()
    const invalid = refused('CUCKOO_TASK_RESULT_INVALID', { httpStatus: 422 })
    await expect(other.putMedia(task, first)).rejects.toThrow(refused('CUCKOO_TASK_LEASE_LOST'))
    await expect(miner.putMedia(task, first, sha256(second))).rejects.toThrow(invalid)
    await expect(miner.putMedia(task, wav)).rejects.toThrow(invalid)
    await expect(miner.putMedia(task, createPng(41, 32))).rejects.toThrow(invalid)
    expect(await rig.store.getBlob(sha256(wav))).toBeNull()
    await miner.putMedia(task, first)
    await miner.putMedia(task, first)
    await expect(miner.putMedia(task, second)).rejects.toThrow(/it has more than 1 media/)
    await miner.submit(task, createSubmission(rig.chain.domainSeparator, miner.signer, task, output))
    await expect(miner.putMedia(task, first)).rejects.toThrow(refused('CUCKOO_TASK_LEASE_LOST', { httpStatus: 409 }))
  })

  test('may be as large as the task lets them be: an image made 4 times as large that nothing compresses', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1, { models: [{ manifest: createKindManifest('image-to-image') }] })
    const side = Math.sqrt(taskKindTraits['image-to-image'].limits.maxPixels)
    const input = { media: toDataUrl(createPng(side, side)) }
    const { task } = await rig.app.createTask({ body: { model: 'test/image-to-image', kind: 'image-to-image', input, params: {}, dryRun: false } })
    const rgb = toPng(4 * side, { bits: 8, colourType: 2, pixels: deflateSync(Buffer.alloc((12 * side + 1) * 4 * side), { level: 0 }) })
    expect(rgb.length).toBeGreaterThan(48 * 2 ** 20)
    const made = { image: toImageMedia(rgb, 4 * side, 4 * side) }
    await miner.answerWith(made, [rgb])
    expect(await rig.app.getTask({ params: { id: task?.id ?? '0x' } })).toMatchObject({ state: 'done', output: made })
    expect((await rig.app.getMedia({ params: { hash: sha256(rgb) } })).length).toBe(rgb.length)
  })

  test('a task without media in its output takes none', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1)
    await rig.app.createTask({ body: { model: 'test/letters', kind: 'completion', input: { prompt: 'a' }, params: {}, dryRun: false } })
    await expect(miner.putMedia(await miner.take(), first)).rejects.toThrow(/tasks of kind completion have no media in their output/)
  })

  test('small ones may come with the result, as long as its output names them and tells the truth', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1, { models })
    const { task } = await rig.app.createTask(draw())
    const polled = await miner.take()
    const submission = createSubmission(rig.chain.domainSeparator, miner.signer, polled, output)
    const invalid = refused('CUCKOO_TASK_RESULT_INVALID', { httpStatus: 422 })
    const wrong = [[first, second], [second], [wav], [createPng(41, 32)], [first.subarray(0, -1)]]
    for (const media of wrong) await expect(miner.submit(polled, { ...submission, media })).rejects.toThrow(invalid)
    await expect(miner.submit(polled, { ...submission, media: [second, first] })).rejects.toThrow(/carries the medium 0x[0-9a-f]{64}, which its output/)
    await expect(miner.submit(polled, { ...submission, media: [new Uint8Array(65_537)] })).rejects.toThrow(refused('CUCKOO_API_REQUEST_INVALID'))
    await expect(miner.submit(polled, { ...submission, media: Array.from({ length: 33 }, () => first) })).rejects.toThrow(refused('CUCKOO_API_REQUEST_INVALID'))
    expect([await rig.store.getBlob(sha256(first)), await rig.store.getBlob(sha256(second))]).toEqual([null, null])
    await miner.submit(polled, { ...submission, media: [first, first] })
    expect(await rig.app.getTask({ params: { id: task?.id ?? '0x' } })).toMatchObject({ state: 'done', output })
    expect(Buffer.from(await rig.app.getMedia({ params: { hash: sha256(first) } }))).toEqual(Buffer.from(first))
    expect(await miner.submit(polled, { ...submission, media: [first] })).toMatchObject({ accepted: true })
  })

  test('a result whose media are not here is refused; after a restart of the coordinator those handed in before still count', async () => {
    const rig = await createCoordinatorRig()
    const miner = await rig.openMiner(1, { models })
    const { task } = await rig.app.createTask(draw())
    const polled = await miner.take()
    const submission = createSubmission(rig.chain.domainSeparator, miner.signer, polled, output)
    await expect(miner.submit(polled, submission)).rejects.toThrow(/names the medium 0x[0-9a-f]{64}, which is not here/)
    await miner.putMedia(polled, first)
    await rig.restart()
    const again = await rig.openMiner(1, { models })
    await again.submit(polled, submission)
    expect(await rig.app.getTask({ params: { id: task?.id ?? '0x' } })).toMatchObject({ state: 'done', output })
  })
})

test('steps that a miner reports are events of the task', async () => {
  const rig = await createCoordinatorRig()
  const miner = await rig.openMiner(1, { models: [{ manifest: createKindManifest('image') }] })
  const { task } = await rig.app.createTask(draw(2))
  const { events } = await rig.app.open('watchTask', { params: { id: task?.id ?? '0x' } })
  const seen: object[] = []
  const reading = (async () => {
    for await (const event of events) if (event.type === 'progress') seen.push(event)
  })()
  const polled = await miner.take()
  for (const unitsDone of [7, 3, 20, 99]) {
    await miner.heartbeat(polled, unitsDone)
    await expect.poll(() => seen.length).toBe(unitsDone === 7 || unitsDone === 3 ? 1 : unitsDone === 20 ? 2 : 3)
  }
  await miner.fail(polled, 'CUCKOO_TEST', true)
  await reading
  expect(seen).toEqual([7, 20, 40].map((done) => ({ type: 'progress', attempt: 1, done, total: 40 })))
})

test('fault 12: a PNG that decodes to 30,000 × 30,000 pixels is 422 before it is decoded', async () => {
  const bomb = createPngBomb()
  const rig = await createCoordinatorRig(patient)
  await rig.openMiner(1, { models: [{ manifest: createKindManifest('image-classification') }] })
  expect(bomb.length).toBeLessThan(200_000)
  // sharp itself is loaded by then.
  await rig.app.uploadMedia({ body: png })
  const before = process.memoryUsage().rss
  const tooLarge = refused('CUCKOO_MEDIA_TOO_LARGE', { httpStatus: 422 })
  for (let round = 0; round < 5; round++) {
    await expect(rig.app.uploadMedia({ body: bomb })).rejects.toThrow(tooLarge)
    await expect(rig.app.createTask(classify(toDataUrl(bomb)))).rejects.toThrow(tooLarge)
  }
  // One decoded copy would be 900 MB, or 112 MB at a bit per pixel.
  expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000)
  expect(await rig.store.getBlob(sha256(bomb))).toBeNull()
})

describe('fault 13: no URL is fetched', () => {
  test('loopback, link-local, redirect, rebinding, other schemes: refused with the next step, and nobody is called', async () => {
    const rig = await createCoordinatorRig(patient)
    await rig.openMiner(1, { models: [{ manifest: createKindManifest('image-classification') }] })
    let connections = 0
    const trap = createHttpServer((_request, response) => response.writeHead(302, { location: toDataUrl(png) }).end())
    trap.on('connection', () => connections++)
    trap.listen(0, '127.0.0.1')
    await once(trap, 'listening')
    const { port } = trap.address() as AddressInfo
    const urls = [
      `http://127.0.0.1:${port}/cat.png`,
      `http://localhost:${port}/cat.png`,
      `http://[::1]:${port}/cat.png`,
      `http://[::ffff:127.0.0.1]:${port}/cat.png`,
      `http://0x7f000001:${port}/cat.png`,
      `https://127.0.0.1:${port}/redirect`,
      'http://169.254.169.254/latest/meta-data/',
      `http://127-0-0-1.rebind.example:${port}/cat.png`,
      `//127.0.0.1:${port}/cat.png`,
      `HTTP://user:hunter2@127.0.0.1:${port}/cat.png`,
      'file:///etc/passwd',
      'ftp://127.0.0.1/cat.png',
      'blob:https://example.org/1',
      '/etc/passwd',
      ' data:image/png;base64,AAAA',
      'data:image/png,AAAA',
      'data:image/png;base64',
      'data:image/png;base64,%41%41',
    ]
    for (const url of urls) {
      const { status, error } = await postTask(rig, classify(url).body)
      expect([url, status, error.code]).toEqual([url, 400, 'CUCKOO_API_MEDIA_URL_REFUSED'])
      expect(error.hint).toContain('Upload it with POST /v1/media')
      expect(error.message).not.toMatch(/hunter2|passwd/)
    }
    expect(connections).toBe(0)
    trap.close()
  })

  test('a chat that links an image is refused by name', async () => {
    const rig = await createCoordinatorRig()
    await rig.openMiner(1)
    const content = [{ type: 'image_url', image_url: { url: 'http://127.0.0.1:1/cat.png' } }]
    const headers = { authorization: `Bearer ${rig.apiKey}`, 'content-type': 'application/json' }
    const body = JSON.stringify({ model: 'test/letters', messages: [{ role: 'user', content }] })
    const response = await fetch(`${rig.serving.url}/v1/chat/completions`, { method: 'POST', headers, body })
    expect([response.status, ((await response.json()) as { error: { param: string } }).error.param]).toEqual([
      400,
      expect.stringContaining('messages.0.content'),
    ])
  })
})

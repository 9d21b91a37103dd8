import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DownloadProgress } from '../../../src/domain/enginePort.ts'
import { createManifest } from '../../../src/inference/createManifest.ts'
import { downloadModel } from '../../../src/inference/downloadModel.ts'
import type { DownloadRequest } from '../../../src/inference/downloadRequest.ts'
import { hashFile } from '../../../src/inference/modelFolder.ts'
import { close, hubCommit, listen, sendContent, startHub, type TestHub, toStart, writeHead } from '../../support/hub.ts'
import { createTableGraph, table, tableColumns, toEmbeddingModelFiles } from '../../support/onnx.ts'

let directory: string
let hub: TestHub
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-hub-'))
  hub = await startHub({ ...toEmbeddingModelFiles(), 'README.md': 'never downloaded' })
})
afterEach(async () => {
  await hub.close()
  rmSync(directory, { recursive: true, force: true })
})

const download = (request: Partial<DownloadRequest> = {}) =>
  downloadModel({ model: 'a/b', revision: null, dtype: 'fp32', directory, baseUrl: hub.baseUrl, offline: false, ...request })
const at = (path: string) => join(directory, 'a', 'b', hubCommit, path)
const code = (value: string) => expect.objectContaining({ code: value })
const graph = () => hub.files.get('onnx/model.onnx') as Buffer

describe('downloadModel', () => {
  it('fetches what the dtype needs into a folder named by the commit, with progress, and nothing else', async () => {
    const progress: DownloadProgress[] = []
    const { folder, revision } = await download({ onProgress: (step) => progress.push(step) })
    expect(revision).toBe(hubCommit)
    expect(folder.path).toBe(join(directory, 'a', 'b', hubCommit))
    expect(readFileSync(at('onnx/model.onnx'))).toEqual(graph())
    expect(existsSync(at('README.md'))).toBe(false)
    expect(progress.findLast(({ file }) => file === 'onnx/model.onnx')).toMatchObject({ receivedBytes: graph().length, totalBytes: graph().length })
    const { overall } = progress.at(-1) as DownloadProgress
    expect(overall.receivedBytes).toBe(overall.totalBytes)
    const needed = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx/model.onnx']
    expect(overall.totalBytes).toBe(needed.reduce((sum, path) => sum + (hub.files.get(path) as Buffer).length, 0))
    expect((await createManifest(folder, { dtype: 'fp32', revision })).revision).toBe(hubCommit)
  })

  it('stays at its commit and asks nothing when all is there, offline too', async () => {
    await download()
    hub.requests = []
    await download()
    await download({ offline: true })
    await download({ revision: hubCommit, offline: true })
    expect(hub.requests).toEqual([])
  })

  it('takes external data of the graph along', async () => {
    hub.files.set('onnx/model.onnx', createTableGraph({ table, columns: tableColumns, output: 'last_hidden_state', externalData: 'weights.bin' }))
    hub.files.set('onnx/weights.bin', Buffer.from(table.buffer))
    await download()
    expect(readFileSync(at('onnx/weights.bin'))).toEqual(Buffer.from(table.buffer))
  })

  it('goes on where a broken connection stopped', async () => {
    let breaks = 2
    hub.disturb = (request, response, content) => {
      if (breaks-- <= 0) return false
      const start = toStart(request)
      writeHead(response, content, start)
      response.write(content.subarray(start, start + 50), () => setTimeout(() => response.destroy(), 200))
      return true
    }
    await download()
    expect(hub.requests.filter(({ url }) => url === '/onnx/model.onnx').map(({ range }) => range)).toEqual([undefined, 'bytes=50-', 'bytes=100-'])
    expect(readFileSync(at('onnx/model.onnx'))).toEqual(graph())
  })

  it('goes on in the next process, and starts over where the hub does not know ranges', async () => {
    hub.disturb = (_, response, content) => {
      response.writeHead(200, { 'content-length': content.length })
      response.write(content.subarray(0, 60), () => setTimeout(() => response.destroy(), 200))
      return true
    }
    const controller = new AbortController()
    await expect(
      download({ signal: controller.signal, onProgress: ({ file }) => file.endsWith('.onnx') && controller.abort(new Error('enough')) }),
    ).rejects.toThrow('enough')
    expect(readFileSync(at('onnx/model.onnx.part')).length).toBe(60)
    hub.disturb = (_, response, content) => {
      response.writeHead(200, { 'content-length': content.length }).end(content)
      return true
    }
    await download()
    expect(readFileSync(at('onnx/model.onnx'))).toEqual(graph())
  })

  it.each([
    ['another part of the same length', (content: Buffer) => content.subarray(10, content.length - 40), 'bytes 10-'],
    ['all of it as a part', (content: Buffer) => content, 'bytes 0-'],
    ['a part that says not which', (content: Buffer) => content.subarray(50), null],
    ['no part', () => Buffer.alloc(0), 'bytes */1'],
  ])('starts over where the hub answers a wish for the rest with %s', async (name, toPart, range) => {
    hub.disturb = (request, response, content) => {
      if (toStart(request) > 0) {
        const part = toPart(content)
        response.writeHead(name === 'no part' ? 416 : 206, { 'content-length': part.length, ...(range === null ? {} : { 'content-range': `${range}9/9` }) })
        response.end(part)
        return true
      }
      if (hub.requests.filter(({ url }) => url === '/onnx/model.onnx').length > 1) return false
      writeHead(response, content, 0)
      response.write(content.subarray(0, 50), () => setTimeout(() => response.destroy(), 200))
      return true
    }
    await download()
    expect(hub.requests.filter(({ url }) => url === '/onnx/model.onnx').map(({ range }) => range)).toEqual([undefined, 'bytes=50-', undefined])
    expect(readFileSync(at('onnx/model.onnx'))).toEqual(graph())
    // No spliced file was made that its hash had to give away.
    expect(existsSync(at('onnx/model.onnx.quarantined'))).toBe(false)
  })

  it('fault 15: quarantines an altered and a truncated file and fetches them again', async () => {
    await download()
    const altered = Buffer.from(graph())
    altered[20] = (altered[20] as number) ^ 1
    writeFileSync(at('onnx/model.onnx'), altered)
    truncateSync(at('tokenizer.json'), 10)
    await expect(download({ offline: true })).rejects.toThrow(code('CUCKOO_HUB_OFFLINE'))
    await download()
    expect(readFileSync(at('onnx/model.onnx'))).toEqual(graph())
    expect(readFileSync(at('onnx/model.onnx.quarantined'))).toEqual(altered)
    expect(JSON.parse(readFileSync(at('tokenizer.json'), 'utf8'))).toHaveProperty('model')
  })

  it('fault 15: fetches a file that arrives wrong once more, then refuses it by name', async () => {
    let wrong = 0
    hub.disturb = (_, response, content) => {
      wrong++
      response.writeHead(200, { 'content-length': content.length }).end(Buffer.alloc(content.length))
      return true
    }
    await expect(download()).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_HUB_FILE_CORRUPT', message: expect.stringContaining('onnx/model.onnx') }))
    expect(wrong).toBe(2)
    expect(existsSync(at('onnx/model.onnx'))).toBe(false)
  })

  it('takes no more bytes than the hub announced', async () => {
    hub.disturb = (_, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write(Buffer.alloc(65_536)), 1)
      response.on('close', () => clearInterval(timer))
      return true
    }
    await expect(download()).rejects.toThrow(code('CUCKOO_HUB_FILE_CORRUPT'))
  })

  it('sends the token to the hub and not to its storage', async () => {
    await download({ token: 'hf_secret' })
    const [toHub, toStorage] = [hub.requests.filter(({ url }) => url.startsWith('/a')), hub.requests.filter(({ url }) => url === '/onnx/model.onnx')]
    expect(toHub.every(({ authorization }) => authorization === 'Bearer hf_secret')).toBe(true)
    expect(toStorage.map(({ authorization }) => authorization)).toEqual([undefined])
  })
})

describe('refusals', () => {
  it('names an unknown model, a dtype that is not there, and a missing file', async () => {
    await expect(download({ model: 'a/c' })).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_HUB_MODEL_UNKNOWN', httpStatus: 404 }))
    await expect(download({ dtype: 'q8' })).rejects.toThrow(
      expect.objectContaining({ code: 'CUCKOO_MODEL_DTYPE_MISSING', hint: expect.stringContaining('fp32') }),
    )
    hub.files.delete('tokenizer.json')
    rmSync(join(directory, 'a'), { recursive: true })
    await expect(download()).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_MODEL_FILE_MISSING', facts: { model: 'a/b', file: 'tokenizer.json' } }))
  })

  it('says that downloads are off', async () => {
    await expect(download({ offline: true })).rejects.toThrow(code('CUCKOO_HUB_OFFLINE'))
    expect(hub.requests).toEqual([])
  })

  it('says that the hub cannot be reached, or talks nonsense', async () => {
    await expect(download({ baseUrl: 'http://127.0.0.1:1' })).rejects.toThrow(
      expect.objectContaining({ code: 'CUCKOO_HUB_UNREACHABLE', kind: 'unavailable', facts: { url: 'http://127.0.0.1:1', reason: 'ECONNREFUSED' } }),
    )
    const nonsense = createServer((_, response) => response.end('<html>'))
    const url = await listen(nonsense)
    await expect(download({ baseUrl: url })).rejects.toThrow(code('CUCKOO_HUB_UNREACHABLE'))
    await close(nonsense)
  })

  it('takes no file that the hub lists no hash of; what is not needed may have none', async () => {
    hub.list = ({ blobId, ...file }) => ({ ...file, blobId: file.rfilename === 'README.md' ? null : blobId })
    await download()
    rmSync(join(directory, 'a'), { recursive: true })
    for (const missing of ['config.json', 'onnx/model.onnx']) {
      hub.requests = []
      hub.list = ({ rfilename, size, ...hashes }) => ({ rfilename, size, ...(rfilename === missing ? {} : hashes) })
      await expect(download()).rejects.toThrow(
        expect.objectContaining({
          code: 'CUCKOO_HUB_FILE_UNHASHED',
          kind: 'invalid',
          facts: { model: 'a/b', file: missing },
          hint: expect.stringContaining('cuckoo models remove a/b'),
        }),
      )
      expect(hub.requests.filter(({ url }) => url.endsWith(missing))).toEqual([])
      rmSync(join(directory, 'a'), { recursive: true })
    }
  })

  it.each(['../../../../secret.txt', '/etc/secret', 'C:/secret', '..\\secret', 'onnx/../../../secret', `${'x/'.repeat(400)}../..`])(
    'fault 14: a listing with %j is refused, and nothing of it is kept',
    async (path) => {
      hub.files.set(path, Buffer.from('x'))
      await expect(download()).rejects.toThrow(
        expect.objectContaining({ code: 'CUCKOO_MODEL_FILE_ESCAPES', kind: 'invalid', hint: expect.stringContaining('CUCKOO_HUB_URL') }),
      )
      expect(hub.requests).toHaveLength(1)
      expect(existsSync(join(directory, 'a'))).toBe(false)
    },
  )

  it('odd names of files that no model needs, and that of our own listing, are left out of the listing', async () => {
    const odd = ['assets/what?.png', 'a:b', 'con.txt', 'x'.repeat(600), 'dots.', 'a//b', '%2e%2e/x', 'listing.json']
    for (const path of odd) hub.files.set(path, Buffer.from('x'))
    const expected = ['README.md', 'config.json', 'onnx/model.onnx', 'tokenizer.json', 'tokenizer_config.json']
    expect([...(await download()).paths].sort()).toEqual(expected)
    expect([...(await download({ offline: true })).paths].sort()).toEqual(expected)
  })

  it('says that its directory cannot be used', async () => {
    writeFileSync(join(directory, 'a'), 'a file where a folder must be')
    await expect(download()).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_MODELS_DIRECTORY_UNUSABLE', kind: 'config' }))
  })
})

describe('several files', () => {
  const weights = ['onnx/model.onnx_data', 'onnx/model.onnx_data_1', 'onnx/model.onnx_data_2', 'onnx/model.onnx_data_3']

  it('come four at a time, the largest first, with what transformers.js names as external data beside the graph', async () => {
    hub.files.set('onnx/model.onnx', createTableGraph({ table, columns: tableColumns, output: 'last_hidden_state', externalData: 'model.onnx_data' }))
    hub.files.set('onnx/model.onnx_data', Buffer.from(table.buffer))
    for (const [index, path] of weights.slice(1).entries()) hub.files.set(path, Buffer.alloc(10_000 * (index + 1), index))
    let [open, most] = [0, 0]
    const waiting: (() => void)[] = []
    hub.disturb = (request, response, content) => {
      most = Math.max(most, ++open)
      waiting.push(() => {
        open--
        sendContent(request, response, content)
      })
      // Nobody is answered before four wait, or no more come.
      const answer = () => {
        for (const send of waiting.splice(0)) send()
      }
      if (open >= 4) answer()
      else setTimeout(answer, 1_000)
      return true
    }
    const { known, downloadedBytes, paths } = await download()
    expect(most).toBe(4)
    // What is asked for at once arrives in any order.
    const first = hub.requests.filter(({ url }) => url.startsWith('/onnx/')).map(({ url }) => url.slice(1))
    expect(first.slice(0, 4)).toEqual(expect.arrayContaining(weights.slice(1)))
    expect(known.get('onnx/model.onnx')).toEqual(await hashFile(at('onnx/model.onnx')))
    expect(known.get('config.json')).toEqual(await hashFile(at('config.json')))
    expect(downloadedBytes).toBe([...known.values()].reduce((sum, { bytes }) => sum + bytes, 0))
    expect(paths.has('README.md')).toBe(true)
  })

  it('end together when one of them fails', async () => {
    for (const path of weights) hub.files.set(path, Buffer.alloc(1_000))
    hub.disturb = (request, response) => {
      if (request.url?.endsWith('_data_2') === true) return void response.writeHead(403).end() === undefined
      response.writeHead(200)
      response.write('x')
      return true
    }
    await expect(download()).rejects.toThrow(code('CUCKOO_HUB_MODEL_UNKNOWN'))
    expect(existsSync(at('onnx/model.onnx_data'))).toBe(false)
  })
})

describe('a busy hub', () => {
  it('is asked again after what its Retry-After says', async () => {
    let refusals = 2
    const refuse = (response: ServerResponse, status: number, retryAfter: string) => {
      response.writeHead(status, { 'retry-after': retryAfter }).end()
      return true
    }
    hub.disturbHub = (request, response) => request.url?.startsWith('/api') === true && refusals-- > 0 && refuse(response, 429, '1')
    const startedAtMs = Date.now()
    await download()
    expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(2_000)
    rmSync(join(directory, 'a'), { recursive: true })
    let storageRefusals = 1
    hub.disturb = (_, response) => storageRefusals-- > 0 && refuse(response, 503, new Date(Date.now() + 1_000).toUTCString())
    await download()
    expect(readFileSync(at('onnx/model.onnx'))).toEqual(graph())
  })

  it('that wants more than a minute is not waited for', async () => {
    hub.disturbHub = (_, response) => void response.writeHead(429, { 'retry-after': '3600' }).end() === undefined
    await expect(download()).rejects.toThrow(
      expect.objectContaining({ code: 'CUCKOO_HUB_BUSY', kind: 'unavailable', hint: expect.stringContaining('in 3600 s') }),
    )
    expect(hub.requests).toHaveLength(1)
  })
})

describe('a branch', () => {
  it('stays at its commit until it is refreshed, which says what it was', async () => {
    await download()
    hub.commit = 'beef'.padEnd(40, '0')
    expect(await download()).toMatchObject({ revision: hubCommit, previousRevision: null })
    expect(await download({ refresh: true })).toMatchObject({ revision: hub.commit, previousRevision: hubCommit })
    expect(await download({ refresh: true })).toMatchObject({ revision: hub.commit, previousRevision: null })
    expect(await download({ offline: true, refresh: true })).toMatchObject({ revision: hub.commit })
  })

  it.each(['../x', 'a b', 'x\0', '%2e%2e', 'x'.repeat(300), ''])('%j is refused', async (revision) => {
    await expect(download({ revision })).rejects.toThrow(code('CUCKOO_MODEL_REVISION_INVALID'))
    expect(hub.requests).toEqual([])
  })
})

describe('disk space', () => {
  const neededBytes = () => ['tokenizer.json', 'onnx/model.onnx'].reduce((sum, path) => sum + (hub.files.get(path) as Buffer).length, 0)

  it('over the budget nothing is fetched, and what was not used for longest is named', async () => {
    await download()
    mkdirSync(join(directory, 'old', 'one', hubCommit), { recursive: true })
    writeFileSync(join(directory, 'old', 'one', hubCommit, 'listing.json'), JSON.stringify({ commit: hubCommit, files: [] }))
    writeFileSync(join(directory, 'old', 'one', hubCommit, 'weights'), Buffer.alloc(100_000))
    utimesSync(join(directory, 'old', 'one', hubCommit, 'listing.json'), 1, 1)
    hub.commit = 'beef'.padEnd(40, '0')
    await expect(download({ refresh: true, budgetBytes: 102_000 })).rejects.toThrow(
      expect.objectContaining({
        code: 'CUCKOO_MODELS_DISK_FULL',
        kind: 'rejected',
        hint: 'Remove what was not used for longest: `cuckoo models remove old/one@c0ffee000000`.',
      }),
    )
    expect(existsSync(join(directory, 'a', 'b', hub.commit, 'onnx'))).toBe(false)
    await expect(download({ refresh: true, budgetBytes: 10 })).rejects.toThrow(expect.objectContaining({ hint: expect.stringContaining('Raise the budget') }))
    await download({ refresh: true, budgetBytes: 1e6 })
  })

  it('on a full disk nothing is fetched; what lies there in part counts', async () => {
    await expect(download({ getFreeBytes: async () => 256 * 2 ** 20 })).rejects.toThrow(
      expect.objectContaining({ code: 'CUCKOO_MODELS_DISK_FULL', message: expect.stringContaining('the disk has 0.0 MB left') }),
    )
    await download()
    for (const path of ['tokenizer.json', 'onnx/model.onnx']) rmSync(at(path))
    writeFileSync(at('onnx/model.onnx.part'), graph().subarray(0, 50))
    await expect(download({ getFreeBytes: async () => 256 * 2 ** 20 + neededBytes() - 51 })).rejects.toThrow(code('CUCKOO_MODELS_DISK_FULL'))
    await download({ getFreeBytes: async () => 256 * 2 ** 20 + neededBytes() - 50 })
  })
})

describe('several processes', () => {
  const script = fileURLToPath(new URL('./fixtures/download.ts', import.meta.url))
  const start = () => {
    const child = spawn(process.execPath, [
      script,
      JSON.stringify({ model: 'a/b', revision: null, dtype: 'fp32', directory, baseUrl: hub.baseUrl, offline: false }),
    ])
    const ended = new Promise<{ status: number | null; signal: string | null }>((resolve) =>
      child.once('exit', (status, signal) => resolve({ status, signal })),
    )
    return { child, ended }
  }
  /** Sends a byte and then nothing until released. */
  const hold = () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      hub.disturb = (request, response, content) => {
        const from = toStart(request)
        writeHead(response, content, from)
        response.write(content.subarray(from, from + 60))
        release = () => response.end(content.subarray(from + 60))
        setTimeout(resolve, 50)
        return true
      }
    })
    return { held, release: () => release() }
  }

  it('that want the same model wait for each other: each file comes once', { timeout: 30_000 }, async () => {
    const { held, release } = hold()
    const first = start()
    await held
    const second = start()
    const inside = download()
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    release()
    expect(await Promise.all([first.ended, second.ended])).toEqual([
      { status: 0, signal: null },
      { status: 0, signal: null },
    ])
    await inside
    const fetched = hub.requests.map(({ url }) => url).filter((url) => url.includes('/resolve/') && !url.endsWith('.onnx'))
    expect(fetched.length).toBe(new Set(fetched).size)
    expect(hub.requests.filter(({ url }) => url === '/onnx/model.onnx')).toHaveLength(1)
  })

  it('one that is killed leaves its part and no lock: the next goes on there', { timeout: 30_000 }, async () => {
    const { held } = hold()
    const { child, ended } = start()
    await held
    child.kill('SIGKILL')
    expect(await ended).toEqual({ status: null, signal: 'SIGKILL' })
    expect(readFileSync(at('onnx/model.onnx.part')).length).toBe(60)
    hub.disturb = () => false
    await download()
    expect(hub.requests.filter(({ url }) => url === '/onnx/model.onnx').map(({ range }) => range)).toEqual([undefined, 'bytes=60-'])
    expect(readFileSync(at('onnx/model.onnx'))).toEqual(graph())
  })

  it('that waits for another can be stopped', async () => {
    const { held, release } = hold()
    const first = download()
    await held
    await expect(download({ signal: AbortSignal.timeout(200) })).rejects.toThrow(expect.objectContaining({ name: 'TimeoutError' }))
    release()
    await first
  })
})

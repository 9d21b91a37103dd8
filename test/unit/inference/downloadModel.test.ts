import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DownloadProgress } from '../../../src/domain/enginePort.ts'
import { createManifest } from '../../../src/inference/createManifest.ts'
import { type DownloadRequest, downloadModel } from '../../../src/inference/downloadModel.ts'
import { close, hubCommit, listen, startHub, type TestHub, toStart } from '../../support/hub.ts'
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
      response.writeHead(start > 0 ? 206 : 200, { 'content-length': content.length - start })
      response.write(content.subarray(start, start + 50), () => setTimeout(() => response.destroy(), 20))
      return true
    }
    await download()
    expect(hub.requests.filter(({ url }) => url === '/onnx/model.onnx').map(({ range }) => range)).toEqual([undefined, 'bytes=50-', 'bytes=100-'])
    expect(readFileSync(at('onnx/model.onnx'))).toEqual(graph())
  })

  it('goes on in the next process, and starts over where the hub does not know ranges', async () => {
    hub.disturb = (_, response, content) => {
      response.writeHead(200, { 'content-length': content.length })
      response.write(content.subarray(0, 60), () => setTimeout(() => response.destroy(), 20))
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

  it('quarantines an altered file and fetches it again', async () => {
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

  it('fetches a file that arrives wrong once more, then refuses it by name', async () => {
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

  it('says that its directory cannot be used', async () => {
    writeFileSync(join(directory, 'a'), 'a file where a folder must be')
    await expect(download()).rejects.toThrow(expect.objectContaining({ code: 'CUCKOO_MODELS_DIRECTORY_UNUSABLE', kind: 'config' }))
  })
})

import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const hubCommit = 'c0ffee'.padEnd(40, '0')

interface ListedFile {
  rfilename: string
  size: number
  blobId: string
  lfs?: { sha256: string; size: number; pointerSize: number }
}

/** A stand-in for the hub with one model, `a/b`: the API, small files by itself, large ones by redirect to another host, as huggingface.co does. */
export interface TestHub {
  baseUrl: string
  /** what the branch main stands for */
  commit: string
  /** of the model, by path; may be changed */
  files: Map<string, Buffer>
  /** what the listing says of a file, from what an honest hub says of it */
  list: (file: ListedFile) => object
  requests: { url: string; range: string | undefined; authorization: string | undefined }[]
  /** takes over a request to the storage, where large files are, when it returns true */
  disturb: (request: IncomingMessage, response: ServerResponse, content: Buffer) => boolean
  /** takes over a request to the hub when it returns true */
  disturbHub: (request: IncomingMessage, response: ServerResponse) => boolean
  close(): Promise<void>
}

export function listen(server: Server): Promise<string> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)))
}

export async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

/** First byte that a request wants. */
export function toStart({ headers }: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
}

/** Begins an answer with `content`, or the part of it from `start` on. */
export function writeHead(response: ServerResponse, content: Buffer, start: number): void {
  const range = start > 0 ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` } : {}
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': content.length - start, ...range })
}

/** Answers with `content`, or the part of it that is wanted. */
export function sendContent(request: IncomingMessage, response: ServerResponse, content: Buffer): void {
  const start = toStart(request)
  writeHead(response, content, start)
  response.end(content.subarray(start))
}

/** Files as {@link writeModelFiles} takes them. */
export async function startHub(files: Record<string, Buffer | string | object>): Promise<TestHub> {
  const hub: TestHub = {
    baseUrl: '',
    commit: hubCommit,
    files: new Map(
      Object.entries(files).map(([path, content]) => [
        path,
        Buffer.isBuffer(content) ? content : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)),
      ]),
    ),
    requests: [],
    list: (file) => file,
    disturb: () => false,
    disturbHub: () => false,
    close: async () => {
      await close(api)
      await close(storage)
    },
  }
  const note = ({ url, headers }: IncomingMessage) => hub.requests.push({ url: url ?? '', range: headers.range, authorization: headers.authorization })
  const isLarge = (path: string) => /\.(onnx|onnx_data(_\d+)?|bin)$/.test(path)
  const storage = createServer((request, response) => {
    note(request)
    const content = hub.files.get(decodeURIComponent((request.url ?? '').slice(1)))
    if (content === undefined) return void response.writeHead(404).end()
    if (!hub.disturb(request, response, content)) sendContent(request, response, content)
  })
  const storageUrl = await listen(storage)
  const api = createServer((request, response) => {
    note(request)
    if (hub.disturbHub(request, response)) return
    const url = request.url ?? ''
    if (url === '/api/models/a/b/revision/main?blobs=true' || url === `/api/models/a/b/revision/${hub.commit}?blobs=true`) {
      const siblings = [...hub.files].map(([rfilename, content]) => ({
        rfilename,
        size: content.length,
        blobId: createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex'),
        ...(isLarge(rfilename) ? { lfs: { sha256: createHash('sha256').update(content).digest('hex'), size: content.length, pointerSize: 130 } } : {}),
      }))
      const answer = { id: 'a/b', sha: hub.commit, siblings: siblings.map((file) => hub.list(file)) }
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    }
    const path = new RegExp(`^/a/b/resolve/${hub.commit}/(.+)$`).exec(url)?.[1]
    const content = path === undefined ? undefined : hub.files.get(decodeURIComponent(path))
    if (path === undefined || content === undefined) return void response.writeHead(404).end('{"error":"not found"}')
    if (isLarge(path)) return void response.writeHead(302, { location: `${storageUrl}/${path}` }).end()
    response.writeHead(200, { 'content-length': content.length }).end(content)
  })
  hub.baseUrl = await listen(api)
  return hub
}

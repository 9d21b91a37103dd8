import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { crc32, deflateRawSync, gzipSync } from 'node:zlib'

/** A ZIP archive of these files, deflated (APPNOTE.TXT 6.3.10). */
export function createZip(files: Record<string, Buffer>): Buffer {
  const locals: Buffer[] = []
  const entries: Buffer[] = []
  let offset = 0
  for (const [name, content] of Object.entries(files)) {
    const packed = deflateRawSync(content)
    const sizes = Buffer.alloc(12)
    sizes.writeUInt32LE(crc32(content), 0)
    sizes.writeUInt32LE(packed.length, 4)
    sizes.writeUInt32LE(content.length, 8)
    const nameBytes = Buffer.alloc(4)
    nameBytes.writeUInt16LE(Buffer.byteLength(name))
    const version = Buffer.from([20, 0, 0, 0, 8, 0, 0, 0, 0, 0])
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), version, sizes, nameBytes, Buffer.from(name), packed])
    const place = Buffer.alloc(4)
    place.writeUInt32LE(offset)
    entries.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), version, sizes, nameBytes, Buffer.alloc(10), place, Buffer.from(name)]))
    locals.push(local)
    offset += local.length
  }
  const directory = Buffer.concat(entries)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}

export interface PackageFeed {
  url: string
  /** `range` header of each download, '' for a whole one */
  downloads: string[]
  /** what is sent as the package; the feed goes on naming the first one's hash */
  content: Buffer
  /** the connection is cut after so many bytes; null: never */
  cutAfterBytes: number | null
  close(): Promise<void>
}

/** A NuGet feed on loopback with one package, whatever it is called. Registrations are compressed, as nuget.org's are. */
export async function startPackageFeed(content: Buffer): Promise<PackageFeed> {
  const sha512 = createHash('sha512').update(content).digest('base64')
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    const json = (value: unknown) => response.setHeader('content-encoding', 'gzip').end(gzipSync(JSON.stringify(value)))
    const base = feed.url.replace('/index.json', '')
    if (path === '/index.json') return response.end(JSON.stringify({ resources: [{ '@id': `${base}/registration/`, '@type': 'RegistrationsBaseUrl/3.6.0' }] }))
    if (path.startsWith('/registration/')) return json({ catalogEntry: `${base}/catalog.json`, packageContent: `${base}/package.nupkg` })
    if (path === '/catalog.json') return json({ packageHash: sha512, packageHashAlgorithm: 'SHA512', packageSize: content.length })
    if (path !== '/package.nupkg') return response.writeHead(404).end()
    const range = request.headers.range ?? ''
    feed.downloads.push(range)
    const from = Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0)
    const part = feed.content.subarray(from)
    response.writeHead(range === '' ? 200 : 206, { 'content-length': part.length })
    if (feed.cutAfterBytes === null) return response.end(part)
    response.write(part.subarray(0, feed.cutAfterBytes), () => setTimeout(() => response.destroy(), 20))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const feed: PackageFeed = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/index.json`,
    downloads: [],
    content,
    cutAfterBytes: null,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return feed
}

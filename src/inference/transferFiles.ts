import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Hash } from '../domain/hex.ts'
import { hubFileCorrupt, hubFileUnhashed, hubOffline, hubUnreachable, modelFileMissing } from '../errors/inference.ts'
import { assertSpace } from './assertSpace.ts'
import type { DownloadRequest } from './downloadRequest.ts'
import { createHubClient, type HubClient, type HubFile, type HubListing } from './hubClient.ts'
import { findModelFile, type ModelFolder, setAside } from './modelFolder.ts'
import { retryHub } from './retryHub.ts'

/** Files that come at a time: enough to fill a line whose single connections are slowed down, few enough for the hub. */
const maxParallel = 4

/** Brings a commit's files to its folder. */
export interface Transfer {
  /** Each of `paths` is there, with the hub's hash, when this returns. @throws as {@link downloadModel} */
  ensure(paths: readonly string[]): Promise<void>
  /** What was found so far. */
  report(): { known: ReadonlyMap<string, { bytes: number; sha256: Hash }>; downloadedBytes: number }
}

/** Fetches `files` of a commit whose lock is held. @throws as {@link downloadModel} */
export async function repairFiles(request: DownloadRequest, folder: ModelFolder, listing: HubListing, files: readonly HubFile[]): Promise<void> {
  const client = createHubClient({ baseUrl: request.baseUrl, token: request.token })
  try {
    await createTransfer(client, request, folder, listing).ensure(files.map(({ path }) => path))
  } finally {
    await client.close()
  }
}

interface MissingFile {
  file: HubFile
  target: string
}

export function createTransfer(client: HubClient, request: DownloadRequest, folder: ModelFolder, listing: HubListing): Transfer {
  const known = new Map<string, { bytes: number; sha256: Hash }>()
  const progress = createProgress(request)
  const findMissing = async (path: string): Promise<MissingFile | null> => {
    const file = listing.files.find((candidate) => candidate.path === path)
    if (file === undefined) throw modelFileMissing({ model: request.model, file: path })
    if (file.sha256 === null && file.gitOid === null) throw hubFileUnhashed({ model: request.model, file: path })
    const target = join(folder.path, ...path.split('/'))
    const present = await findModelFile(folder, path)
    if (present !== null) {
      const { difference, ...found } = await compareFile(present, file)
      if (difference === null) {
        known.set(path, found)
        return null
      }
      await setAside(folder, path)
    }
    if (request.offline) throw hubOffline({ model: request.model, missing: present === null ? `${path} is missing` : `${path} was altered and set aside` })
    return { file, target }
  }
  const fetchFile = async ({ file, target }: MissingFile, signal: AbortSignal): Promise<void> => {
    await mkdir(dirname(target), { recursive: true })
    const part = `${target}.part`
    for (let attempt = 1; ; attempt++) {
      await fillPart({ client, request, commit: listing.commit, file, part, signal, onReceived: (bytes, isNew) => progress.set(file, bytes, isNew) })
      const { difference, ...found } = await compareFile(part, file)
      if (difference === null) {
        known.set(file.path, found)
        return rename(part, target)
      }
      await rename(part, `${target}.quarantined`)
      if (attempt === 2) throw hubFileCorrupt({ model: request.model, file: file.path, ...difference })
    }
  }
  return {
    ensure: async (paths) => {
      const missing: MissingFile[] = []
      for (const path of new Set(paths)) {
        const found = known.has(path) ? null : await findMissing(path)
        if (found !== null) missing.push(found)
      }
      if (missing.length === 0) return
      const partBytes = await Promise.all(missing.map(async ({ target }) => (await stat(`${target}.part`).catch(() => null))?.size ?? 0))
      const neededBytes = missing.reduce((sum, { file }, index) => sum + Math.max(0, file.bytes - (partBytes[index] as number)), 0)
      await assertSpace(request, { model: request.model, revision: listing.commit, neededBytes })
      progress.expect(missing.map(({ file }) => file))
      // The largest first: it takes longest, and the small ones fit beside it.
      missing.sort((a, b) => b.file.bytes - a.file.bytes)
      await runParallel(missing, request.signal, fetchFile)
    },
    report: () => ({ known, downloadedBytes: progress.downloadedBytes }),
  }
}

/** Runs `task` over `items`, a few at a time; the first error ends the others. */
async function runParallel<T>(items: readonly T[], signal: AbortSignal | undefined, task: (item: T, signal: AbortSignal) => Promise<void>): Promise<void> {
  const queue = [...items]
  const stop = new AbortController()
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const work = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      both.throwIfAborted()
      await task(item, both)
    }
  }
  const workers = Array.from({ length: Math.min(maxParallel, items.length) }, () =>
    work().catch((error: unknown) => {
      stop.abort(error)
      throw error
    }),
  )
  // Everything has ended before this does: nothing writes to the folder once its lock is given back.
  const failed = (await Promise.allSettled(workers)).some(({ status }) => status === 'rejected')
  if (failed) throw signal?.aborted ? signal.reason : stop.signal.reason
}

function createProgress({ onProgress }: Pick<DownloadRequest, 'onProgress'>) {
  const received = new Map<string, number>()
  const overall = { receivedBytes: 0, totalBytes: 0 }
  return {
    downloadedBytes: 0,
    expect: (files: readonly HubFile[]) => {
      overall.totalBytes += files.reduce((sum, { bytes }) => sum + bytes, 0)
    },
    /** `newBytes`: those that just came over the wire */
    set(file: HubFile, receivedBytes: number, newBytes: number) {
      overall.receivedBytes += receivedBytes - (received.get(file.path) ?? 0)
      received.set(file.path, receivedBytes)
      this.downloadedBytes += newBytes
      onProgress?.({ file: file.path, receivedBytes, totalBytes: file.bytes, overall: { ...overall } })
    },
  }
}

/** What the hub says and what is there, null when they agree; with size and SHA-256 of what is there. */
export async function compareFile(
  path: string,
  file: HubFile,
): Promise<{ bytes: number; sha256: Hash; difference: { expected: string; found: string } | null }> {
  const { size } = await stat(path)
  const sha256 = createHash('sha256')
  const oid = file.sha256 === null && file.gitOid !== null ? createHash('sha1').update(`blob ${size}\0`) : null
  // A file of another size is not read: its hash is of no use to anyone.
  if (size !== file.bytes) return { bytes: size, sha256: '0x', difference: { expected: `${file.bytes} bytes`, found: `${size} bytes` } }
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    sha256.update(chunk as Buffer)
    oid?.update(chunk as Buffer)
  }
  const hash: Hash = `0x${sha256.digest('hex')}`
  const expected = file.sha256 ?? file.gitOid
  const found = oid === null ? hash : oid.digest('hex')
  return { bytes: size, sha256: hash, difference: expected === found ? null : { expected: expected ?? 'a hash that the hub lists', found } }
}

interface Part {
  client: HubClient
  request: DownloadRequest
  commit: string
  file: HubFile
  part: string
  signal: AbortSignal
  onReceived: (receivedBytes: number, newBytes: number) => void
}

/** Fills `part` up to the file's size, going on where it, or a broken connection, stopped. */
async function fillPart(job: Part): Promise<void> {
  const { file, part, request, signal } = job
  let before = 0
  const measure = async () => (await stat(part).catch(() => null))?.size ?? 0
  const attempt = async () => {
    before = await measure()
    if (before > file.bytes) await rm(part)
    const offset = before > file.bytes ? 0 : before
    if (offset === file.bytes && offset > 0) return job.onReceived(offset, 0)
    await receive(job, offset)
    if ((await measure()) !== file.bytes) throw hubUnreachable({ url: request.baseUrl, reason: `the connection ended early in ${file.path}` })
  }
  let after = 0
  const tracked = async () => {
    try {
      await attempt()
    } finally {
      after = await measure()
    }
  }
  await retryHub(tracked, { maxFailures: 5, signal, hasProgressed: () => after > before })
}

async function receive({ client, request, commit, file, part, signal, onReceived }: Part, wantedOffset: number): Promise<void> {
  const { offset, body } = await client.openFile(request.model, commit, file.path, wantedOffset, signal)
  const handle = await open(part, offset > 0 ? 'r+' : 'w')
  let receivedBytes = offset
  try {
    const chunks = body[Symbol.asyncIterator]()
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        signal.throwIfAborted()
        throw client.toUnreachable(error)
      })
      if (next.done) break
      if (receivedBytes + next.value.length > file.bytes)
        throw hubFileCorrupt({ model: request.model, file: file.path, expected: `${file.bytes} bytes`, found: 'more' })
      await handle.write(next.value, 0, next.value.length, receivedBytes)
      receivedBytes += next.value.length
      onReceived(receivedBytes, next.value.length)
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { installCuda, planCuda } from '../../../src/inference/cuda/cudaLibraries.ts'
import { createZip, type PackageFeed, startPackageFeed } from '../../support/packageFeed.ts'

const native = 'runtimes/linux-x64/native'
const cuda = Buffer.concat([Buffer.alloc(300_000, 'cuda'), randomBytes(100_000)])
const shared = Buffer.from('shared')
const whole = {
  [`${native}/libonnxruntime_providers_shared.so`]: shared,
  'LICENSE.txt': Buffer.from('free'),
  [`${native}/libonnxruntime_providers_cuda.so`]: cuda,
}

let directory: string
let feed: PackageFeed
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'cuckoo-cuda-'))
  feed = await startPackageFeed(createZip(whole))
})
afterEach(async () => {
  await feed.close()
  rmSync(directory, { recursive: true, force: true })
})
const plan = () => planCuda({ feedUrl: feed.url, directory, platform: 'linux', arch: 'x64' })
const coded = (code: string, more: object = {}) => expect.objectContaining({ code, ...more })

describe("the CUDA libraries' installation", () => {
  it("takes the files of the runtime's own installer, of its version, and says what it will do", async () => {
    const { files, bytes, partBytes, version, url } = await plan()
    expect(files.map(({ path, entry, present }) => [path, entry, present])).toEqual([
      [join(directory, 'libonnxruntime_providers_cuda.so'), `${native}/libonnxruntime_providers_cuda.so`, false],
      [join(directory, 'libonnxruntime_providers_shared.so'), `${native}/libonnxruntime_providers_shared.so`, false],
    ])
    expect({ bytes, partBytes, version }).toEqual({ bytes: feed.content.length, partBytes: 0, version: expect.stringMatching(/^1\.\d+\.\d+$/) })
    expect(url).toMatch(/package\.nupkg$/)
    expect(feed.downloads).toEqual([])
    const progress: number[] = []
    await installCuda(await plan(), { onProgress: (received, total) => progress.push(received / total) })
    expect(readdirSync(directory).sort()).toEqual(['libonnxruntime_providers_cuda.so', 'libonnxruntime_providers_shared.so'])
    expect(readFileSync(join(directory, 'libonnxruntime_providers_cuda.so')).equals(cuda)).toBe(true)
    expect(progress.at(-1)).toBe(1)
    // What is there is not fetched again.
    await installCuda(await plan())
    expect(feed.downloads).toEqual([''])
  })

  it('goes on where it stopped', async () => {
    feed.cutAfterBytes = 50_000
    await expect(installCuda(await plan())).rejects.toThrow(coded('CUCKOO_RUNTIME_SOURCE_UNREACHABLE', { kind: 'unavailable' }))
    feed.cutAfterBytes = null
    const { partBytes, ...rest } = await plan()
    expect(partBytes).toBeGreaterThan(0)
    await installCuda({ partBytes, ...rest })
    expect(feed.downloads).toEqual(['', `bytes=${partBytes}-`])
    expect(readFileSync(join(directory, 'libonnxruntime_providers_cuda.so')).equals(cuda)).toBe(true)
  })

  it('refuses a package that is not the one the feed names, installs nothing and starts over', async () => {
    const altered = Buffer.from(feed.content)
    altered[1_000] = (altered[1_000] as number) ^ 1
    feed.content = altered
    await expect(installCuda(await plan())).rejects.toThrow(coded('CUCKOO_RUNTIME_FILE_CORRUPT', { message: expect.stringContaining('SHA-512') }))
    expect(readdirSync(directory)).toEqual([])
  })

  it('refuses a package without the files', async () => {
    await feed.close()
    feed = await startPackageFeed(createZip({ 'LICENSE.txt': Buffer.from('free') }))
    await expect(installCuda(await plan())).rejects.toThrow(coded('CUCKOO_RUNTIME_FILE_CORRUPT', { message: expect.stringContaining('it has no runtimes/') }))
  })

  it('is refused elsewhere, naming webgpu', async () => {
    await expect(planCuda({ feedUrl: feed.url, platform: 'darwin', arch: 'arm64' })).rejects.toThrow(
      coded('CUCKOO_DEVICE_UNAVAILABLE', { kind: 'config', hint: expect.stringContaining('--device webgpu') }),
    )
  })

  it('says so when the folder cannot be written or the feed does not answer', async () => {
    const planned = await plan()
    writeFileSync(join(directory, 'file'), '')
    await expect(installCuda({ ...planned, part: join(directory, 'none', 'x.part') })).rejects.toThrow(coded('CUCKOO_RUNTIME_DIRECTORY_UNWRITABLE'))
    await feed.close()
    await expect(plan()).rejects.toThrow(coded('CUCKOO_RUNTIME_SOURCE_UNREACHABLE'))
  })
})

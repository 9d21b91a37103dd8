import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, constants, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { CudaHooks, CudaPlan } from '../../domain/engineTools.ts'
import { CuckooError } from '../../errors/cuckooError.ts'
import { deviceUnavailable, runtimeDirectoryUnwritable, runtimeFileCorrupt, runtimeSourceUnreachable } from '../../errors/inference.ts'
import { getDeviceFix } from '../devices.ts'
import { findRuntime } from '../findRuntime.ts'
import { extractZipEntry } from './extractZipEntry.ts'
import { findCudaPackage } from './findCudaPackage.ts'
import { getNugetPackage, openDownload, toNetworkReason } from './nugetFeed.ts'

export interface CudaOptions {
  /** index of a NuGet feed instead of the runtime's */
  feedUrl?: string | undefined
  /** folder for the libraries instead of the runtime's */
  directory?: string | undefined
  platform?: string | undefined
  arch?: string | undefined
  signal?: AbortSignal | undefined
}

/**
 * What is to be fetched so that the runtime finds CUDA: the package that onnxruntime-node's own installer takes, for the version that
 * transformers.js loads.
 * @throws CUCKOO_DEVICE_UNAVAILABLE but on Linux x64; CUCKOO_RUNTIME_SOURCE_UNREACHABLE
 */
export async function planCuda(options: CudaOptions = {}): Promise<CudaPlan> {
  const { platform = process.platform, arch = process.arch, signal } = options
  if (platform !== 'linux' || arch !== 'x64') {
    const reason = `the ONNX runtime has CUDA for linux x64 only, this is ${platform} ${arch}`
    throw deviceUnavailable({ device: 'cuda', reason, nextStep: getDeviceFix('cuda', { platform, arch }) })
  }
  const runtime = findRuntime()
  const directory = options.directory ?? runtime.binaries
  const { feedUrl, name, version, entries } = findCudaPackage(runtime)
  const { url, bytes, sha512 } = await getNugetPackage(options.feedUrl ?? feedUrl, name, version, signal)
  const part = join(directory, `${name.toLowerCase()}.${version}.nupkg.part`)
  const files = [...entries].map(async ([file, entry]) => {
    const path = join(directory, file)
    return { path, entry, present: (await stat(path).catch(() => null)) !== null }
  })
  return { version, url, bytes, sha512, part, partBytes: (await stat(part).catch(() => null))?.size ?? 0, files: await Promise.all(files) }
}

/**
 * Fetches the package, checks its SHA-512 and puts the files that are missing in their places, each whole or not at all. A download that
 * was cut off goes on where it stopped.
 * @throws CUCKOO_RUNTIME_SOURCE_UNREACHABLE, CUCKOO_RUNTIME_FILE_CORRUPT, CUCKOO_RUNTIME_DIRECTORY_UNWRITABLE
 */
export async function installCuda(plan: CudaPlan, hooks: CudaHooks = {}): Promise<void> {
  const missing = plan.files.filter(({ present }) => !present)
  if (missing.length === 0) return
  await assertWritable(plan)
  await download(plan, hooks)
  const found = await hashPart(plan)
  if (found !== plan.sha512) {
    await rm(plan.part, { force: true })
    throw runtimeFileCorrupt({ file: plan.url, problem: `its SHA-512 is ${found.slice(0, 12)}…, not ${plan.sha512.slice(0, 12)}…` })
  }
  for (const { path, entry } of missing) {
    await extractZipEntry(plan.part, entry, `${path}.part`)
    await rename(`${path}.part`, path)
  }
  await rm(plan.part, { force: true })
}

async function assertWritable({ part }: CudaPlan): Promise<void> {
  const directory = join(part, '..')
  try {
    await access(directory, constants.W_OK)
  } catch (cause) {
    throw runtimeDirectoryUnwritable({ directory, reason: toNetworkReason(cause) }, { cause })
  }
}

async function download(plan: CudaPlan, { onProgress, signal }: CudaHooks): Promise<void> {
  const had = (await stat(plan.part).catch(() => null))?.size ?? 0
  if (had === plan.bytes) return
  if (had > plan.bytes) await rm(plan.part)
  const { offset, body } = await openDownload(plan.url, had > plan.bytes ? 0 : had, signal)
  const handle = await open(plan.part, offset === 0 ? 'w' : 'a')
  let received = offset
  try {
    for await (const chunk of body) {
      await handle.write(chunk)
      received += chunk.length
      if (received > plan.bytes) throw runtimeFileCorrupt({ file: plan.url, problem: `it is longer than ${plan.bytes} bytes` })
      onProgress?.(received, plan.bytes)
    }
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof CuckooError) throw cause
    const code = (cause as { code?: unknown }).code
    if (code === 'ENOSPC' || code === 'EDQUOT') throw runtimeDirectoryUnwritable({ directory: join(plan.part, '..'), reason: String(code) }, { cause })
    throw runtimeSourceUnreachable({ url: plan.url, reason: toNetworkReason(cause) }, { cause })
  } finally {
    await handle.close()
  }
  if (received < plan.bytes) throw runtimeSourceUnreachable({ url: plan.url, reason: `it ended after ${received} of ${plan.bytes} bytes` })
}

async function hashPart({ part }: CudaPlan): Promise<string> {
  const hash = createHash('sha512')
  await pipeline(createReadStream(part, { highWaterMark: 2 ** 20 }), hash)
  return hash.digest('base64')
}

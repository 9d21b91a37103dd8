import { createRequire } from 'node:module'
import { join } from 'node:path'
import { z } from 'zod'
import { internalError } from '../../errors/internal.ts'
import type { Runtime } from '../findRuntime.ts'

/** Where the runtime's own installer gets its CUDA libraries. */
export interface CudaPackage {
  /** index of the NuGet feed */
  feedUrl: string
  name: string
  version: string
  /** paths in the package, by file name beside the runtime's binding */
  entries: Map<string, string>
}

// onnxruntime-node/script/install-metadata.js, as install.js of version 1.30.0 reads it
const platform = 'linux/x64'
const zMetadata = z.object({
  requirements: z.record(z.string(), z.array(z.string())),
  manifests: z.record(z.string(), z.record(z.string(), z.object({ package: z.string(), path: z.string() }))),
  packages: z.record(z.string(), z.object({ name: z.string(), versions: z.array(z.object({ feed: z.string(), version: z.string() })) })),
  feeds: z.record(z.string(), z.object({ type: z.string(), index: z.string() })),
})

/**
 * What onnxruntime-node's install script would fetch for CUDA, read from the data that script reads.
 * @throws CUCKOO_INTERNAL when a later version of the runtime lays it out in another way
 */
export function findCudaPackage({ directory, version }: Runtime): CudaPackage {
  const path = join(directory, 'script', 'install-metadata.js')
  const metadata = zMetadata.safeParse(createRequire(import.meta.url)(path))
  const unknown = () => internalError({ reason: `the install data of onnxruntime-node ${version} has an unknown form` }, { cause: metadata.error })
  if (!metadata.success) throw unknown()
  const { requirements, manifests, packages, feeds } = metadata.data
  const wanted = Object.entries(manifests[`${platform}:${requirements[platform]?.[0]}`] ?? {})
  const source = packages[wanted[0]?.[1].package ?? '']
  const [release] = source?.versions ?? []
  const feed = feeds[release?.feed ?? '']
  if (source === undefined || release === undefined || feed?.type !== 'nuget') throw unknown()
  // TensorRT is another provider, which cuckoo does not offer: its library would be dead weight.
  const entries = new Map(wanted.filter(([name]) => !name.includes('tensorrt')).map(([name, entry]) => [name.replace(/^\.\//, ''), entry.path]))
  return { feedUrl: feed.index, name: source.name, version: release.version, entries }
}

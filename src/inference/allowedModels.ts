import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { type Manifest, toManifestDigest } from '../domain/manifest.ts'
import { modelNotAllowed, modelsAllowedUnreadable } from '../errors/inference.ts'

const zAllowed = z.strictObject({
  /** a person may take lines out; cuckoo adds them */
  allowed: z.array(
    z.strictObject({
      model: z.string(),
      dtype: z.string(),
      kind: z.string(),
      revision: z.string().nullable(),
      manifest: z.templateLiteral(['0x', z.string().regex(/^[0-9a-f]{64}$/)]),
      /** unix seconds */
      allowedAt: z.int(),
    }),
  ),
})

/**
 * The manifests of hub models that this machine's miners may load, in a file of the home and not of the cache, which others may
 * share. The first use of a model, dtype and kind allows its manifest: whoever names it on a command line wants it. From then on
 * another manifest under that name must be pulled before it is loaded. Models that ship with cuckoo and folders that are named
 * need no entry.
 */
export interface AllowedModels {
  /** Adds the manifest. */
  allow(manifest: Manifest): Promise<void>
  /** @throws CUCKOO_MODEL_NOT_ALLOWED when another manifest of this model, dtype and kind was allowed here, and this one was not */
  assertAllowed(manifest: Manifest): Promise<void>
}

/** The list in `file`. Its functions throw CUCKOO_MODELS_ALLOWED_UNREADABLE when it is not one. */
export function createAllowedModels(file: string): AllowedModels {
  const read = async () => {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{"allowed":[]}'
      throw modelsAllowedUnreadable({ file, problem: error.code ?? error.message }, { cause: error })
    })
    try {
      return zAllowed.parse(JSON.parse(text)).allowed
    } catch (error) {
      const problem = error instanceof z.ZodError ? `${error.issues[0]?.path.join('.')}: ${error.issues[0]?.message}` : 'it is not JSON'
      throw modelsAllowedUnreadable({ file, problem }, { cause: error })
    }
  }
  const allow = async (manifest: Manifest) => {
    const { model, dtype, kind, revision } = manifest
    const allowed = await read()
    const digest = toManifestDigest(manifest)
    if (allowed.some((entry) => entry.manifest === digest)) return
    allowed.push({ model, dtype, kind, revision, manifest: digest, allowedAt: Math.floor(Date.now() / 1_000) })
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(`${file}.${process.pid}`, `${JSON.stringify({ allowed }, null, 2)}\n`, { mode: 0o600 })
    await rename(`${file}.${process.pid}`, file)
  }
  return {
    allow,
    assertAllowed: async (manifest) => {
      const { model, dtype, kind, revision } = manifest
      const same = (await read()).filter((entry) => entry.model === model && entry.dtype === dtype && entry.kind === kind)
      const digest = toManifestDigest(manifest)
      if (same.length === 0) return allow(manifest)
      if (!same.some((entry) => entry.manifest === digest)) throw modelNotAllowed({ model, dtype, revision: revision ?? '', digest, file })
    },
  }
}

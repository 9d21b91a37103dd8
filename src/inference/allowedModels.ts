import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { Hash } from '../domain/hex.ts'
import { type Manifest, toManifestDigest } from '../domain/manifest.ts'
import type { ModelKind } from '../domain/taskKinds.ts'
import { modelNotAllowed, modelsAllowedUnreadable } from '../errors/inference.ts'
import { lockFile } from './modelLock.ts'

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
type AllowedEntry = z.infer<typeof zAllowed>['allowed'][number]

/**
 * The manifests of hub models that this machine's miners may load, in a file of the home and not of the cache, which others may
 * share. The first use of a model and dtype allows its manifest, as does the first use with a kind that was typed: whoever names
 * it on a command line wants it. From then on another manifest under that name, of whatever kind, must be pulled before it is
 * loaded. Models that ship with cuckoo and folders that are named need no entry.
 */
export interface AllowedModels {
  /** Adds the manifest. */
  allow(manifest: Manifest): Promise<void>
  /**
   * Adds the manifest at its first use. `typedKind` is the kind that a person named, null where the files tell it.
   * @throws CUCKOO_MODEL_NOT_ALLOWED when another manifest of this model and dtype, and of the typed kind, was allowed here, and this one was not
   */
  assertAllowed(manifest: Manifest, typedKind: ModelKind | null): Promise<void>
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
  /** Adds the manifest where it is not listed and `assertMay` takes the others; nobody else changes the list meanwhile. */
  const add = async (manifest: Manifest, assertMay: (allowed: readonly AllowedEntry[], digest: Hash) => void) => {
    const digest = toManifestDigest(manifest)
    const isListed = (allowed: readonly AllowedEntry[]) => allowed.some((entry) => entry.manifest === digest)
    if (isListed(await read())) return
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await lockFile(`${file}.lock`, undefined, async () => {
      const allowed = await read()
      if (isListed(allowed)) return
      assertMay(allowed, digest)
      const { model, dtype, kind, revision } = manifest
      allowed.push({ model, dtype, kind, revision, manifest: digest, allowedAt: Math.floor(Date.now() / 1_000) })
      await writeFile(`${file}.new`, `${JSON.stringify({ allowed }, null, 2)}\n`, { mode: 0o600 })
      await rename(`${file}.new`, file)
    })
  }
  return {
    allow: (manifest) => add(manifest, () => undefined),
    assertAllowed: (manifest, typedKind) =>
      add(manifest, (allowed, digest) => {
        const { model, dtype, revision } = manifest
        // A typed kind narrows the name only where the model is of that kind.
        const kind = typedKind === manifest.kind ? typedKind : null
        const isSame = (entry: AllowedEntry) => entry.model === model && entry.dtype === dtype && (kind === null || entry.kind === kind)
        if (allowed.some(isSame)) throw modelNotAllowed({ model, dtype, kind, revision: revision ?? '', digest, file })
      }),
  }
}

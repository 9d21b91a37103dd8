import type { Manifest } from '../domain/manifest.ts'
import { modelFileAltered } from '../errors/inference.ts'
import { getModelFile, hashFile, type ModelFolder } from './modelFolder.ts'

/**
 * Asserts that every file the manifest names is in the folder with the same bytes.
 * @throws CUCKOO_MODEL_FILE_ALTERED for the first file with another size or SHA-256
 * @throws CUCKOO_MODEL_FILE_MISSING, CUCKOO_MODEL_FILE_ESCAPES
 */
export async function verifyManifest(folder: ModelFolder, manifest: Manifest): Promise<void> {
  for (const file of manifest.files) {
    const found = await hashFile(await getModelFile(folder, file.path))
    if (found.bytes === file.bytes && found.sha256 === file.sha256) continue
    const describe = (of: { bytes: number; sha256: string }) => `${of.bytes} bytes with SHA-256 ${of.sha256}`
    throw modelFileAltered({ model: folder.model, file: file.path, expected: describe(file), found: describe(found) })
  }
}

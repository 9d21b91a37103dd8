import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readFile, realpath, rename, stat } from 'node:fs/promises'
import { dirname, join, sep, win32 } from 'node:path'
import type { Hash } from '../domain/hex.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import { modelFileEscapes, modelFileInvalid, modelFileMissing } from '../errors/inference.ts'

/** A model's files in one folder, `<directory>/<owner>/<model>` or a downloaded commit. */
export interface ModelFolder {
  /** `owner/model`, for messages */
  model: string
  /** absolute */
  path: string
  /** Folders of strangers: a file with a second hard link may belong to somebody else. Our own package may be hard-linked by pnpm. */
  refuseHardLinks: boolean
}

/** Texts (configurations, tokenizers, templates) are read whole; the largest tokenizers known have 35 MB. */
const maxTextBytes = 128 * 2 ** 20

/** The hub's longest is 300. */
const maxPathLength = 500

/** Windows takes names of devices, with any extension, and the characters below for something else; `%` may be decoded on the way. */
function isPortable(part: string): boolean {
  const isPlain = [...part].every((character) => character >= ' ' && character !== '\x7f' && !'\\:%*?"<>|'.includes(character))
  return isPlain && !/[. ]$/.test(part) && !/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(part)
}

/** Why no file of a model has this name; null for a plain path relative to the model's folder. */
export function findPathFlaw(file: string): { problem: string; escapes: boolean } | null {
  const parts = file.split('/')
  // Windows' absolute paths begin with a drive or with either slash, those of the others among them.
  if (win32.isAbsolute(file) || file.split(/[/\\]/).includes('..')) return { problem: 'its name leads out of the folder', escapes: true }
  if (file.length > maxPathLength) return { problem: `its name has ${file.length} characters`, escapes: false }
  if (parts.some((part) => part === '' || part === '.')) return { problem: 'its name is not a plain path', escapes: false }
  return parts.every(isPortable) ? null : { problem: 'its name has characters that names of files cannot have everywhere', escapes: false }
}

function toEscape(model: string, file: string, problem: string): CuckooError {
  return modelFileEscapes({ model, file: file.slice(0, maxPathLength), problem })
}

/**
 * The absolute path of `file` in the folder, null when it is not there.
 * @throws CUCKOO_MODEL_FILE_ESCAPES when the name, a symbolic link or a second hard link leads out of the folder, or it is no plain file
 */
export async function findModelFile(folder: ModelFolder, file: string): Promise<string | null> {
  const refuse = (problem: string) => toEscape(folder.model, file, problem)
  const flaw = findPathFlaw(file)
  if (flaw !== null) throw refuse(flaw.problem)
  const path = join(folder.path, ...file.split('/'))
  if ((await lstat(path).catch(() => null)) === null) return null
  const [root, target] = await Promise.all([realpath(folder.path), realpath(path).catch(() => null)])
  if (target === null || !target.startsWith(root + sep)) throw refuse('it is a link that leads out of the folder')
  const stats = await stat(target)
  if (!stats.isFile()) throw refuse('it is not a plain file')
  if (folder.refuseHardLinks && stats.nlink > 1) throw refuse(`it has ${stats.nlink} hard links, so its content may be owned elsewhere`)
  return target
}

/**
 * The absolute path of `file` in the folder.
 * @throws CUCKOO_MODEL_FILE_MISSING when it is not there; CUCKOO_MODEL_FILE_ESCAPES as {@link findModelFile}
 */
export async function getModelFile(folder: ModelFolder, file: string): Promise<string> {
  const path = await findModelFile(folder, file)
  if (path === null) throw modelFileMissing({ model: folder.model, file })
  return path
}

/**
 * Renames `file`, which is in the folder, to `<file>.quarantined`; of a link the link itself, never what it leads to.
 * @throws CUCKOO_MODEL_FILE_ESCAPES when its name or a linked folder on the way leads out: nothing is renamed then
 */
export async function setAside(folder: ModelFolder, file: string): Promise<void> {
  const flaw = findPathFlaw(file)
  if (flaw !== null) throw toEscape(folder.model, file, flaw.problem)
  const path = join(folder.path, ...file.split('/'))
  const [root, parent] = await Promise.all([realpath(folder.path), realpath(dirname(path))])
  if (parent !== root && !parent.startsWith(root + sep)) throw toEscape(folder.model, file, 'it is behind a link that leads out of the folder')
  await rename(path, `${path}.quarantined`)
}

/**
 * Content of a JSON file of the folder, undefined when it is not there.
 * @throws CUCKOO_MODEL_FILE_INVALID when it is not a JSON object or too large
 */
export async function readJsonFile(folder: ModelFolder, file: string): Promise<Record<string, unknown> | undefined> {
  const path = await findModelFile(folder, file)
  if (path === null) return undefined
  const refuse = (problem: string, cause?: unknown) => modelFileInvalid({ model: folder.model, file, problem }, { cause })
  if ((await stat(path)).size > maxTextBytes) throw refuse(`it is larger than ${maxTextBytes} bytes`)
  let value: unknown
  try {
    value = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error), error)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('it is not a JSON object')
  return value as Record<string, unknown>
}

/** Size in bytes and SHA-256 of the file at `path`, read as a stream. */
export async function hashFile(path: string): Promise<{ bytes: number; sha256: Hash }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { bytes, sha256: `0x${hash.digest('hex')}` }
}

/** Model folders have some ten files; one with more is something else, like a home, or links that lead in circles. */
const maxPaths = 5_000

/**
 * Relative paths of all files of the folder, forward slashes. Linked folders are walked once where they stay inside;
 * {@link getModelFile} refuses files that lead out.
 * @throws CUCKOO_MODEL_FILE_ESCAPES for a linked folder that leads out, and for more files than a model has
 */
export async function listModelPaths(folder: ModelFolder): Promise<Set<string>> {
  const paths = new Set<string>()
  let seen = 0
  const root = await realpath(folder.path).catch(() => null)
  if (root === null) return paths
  const refuse = (file: string, problem: string) => modelFileEscapes({ model: folder.model, file, problem })
  const walk = async (directory: string, prefix: string, ancestors: readonly string[]): Promise<void> => {
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      const [path, name] = [join(directory, entry.name), `${prefix}${entry.name}`]
      const target = entry.isSymbolicLink() ? await realpath(path).catch(() => null) : path
      const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && target !== null && (await stat(target)).isDirectory())
      if (++seen > maxPaths) throw refuse(name, `the folder has more than ${maxPaths} files`)
      if (!isFolder) paths.add(name)
      else if (target === null || (entry.isSymbolicLink() && target !== root && !target.startsWith(root + sep)))
        throw refuse(name, 'it is a link that leads out of the folder')
      else if (!ancestors.includes(target)) await walk(target, `${name}/`, [...ancestors, target])
    }
  }
  await walk(root, '', [root])
  return paths
}

/** Names `owner/model` of the folders under `directory` that hold a model, sorted. */
export async function listModels(directory: string): Promise<string[]> {
  const listFolders = async (path: string) =>
    (await readdir(path, { withFileTypes: true }).catch(() => [])).filter((entry) => entry.isDirectory() || entry.isSymbolicLink()).map(({ name }) => name)
  const models: string[] = []
  for (const owner of await listFolders(directory))
    for (const model of await listFolders(join(directory, owner))) {
      const found = ['config.json', 'model_index.json'].map((file) => stat(join(directory, owner, model, file)).catch(() => null))
      if ((await Promise.all(found)).some((file) => file !== null)) models.push(`${owner}/${model}`)
    }
  return models.sort()
}

import { existsSync } from 'node:fs'
import { access, constants, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileExists, fileUnreadable, fileUnwritable, folderMissing } from '../errors/cli.ts'

const maxBytes = 64 * 1024 * 1024

/** @param path of the file that was to be written */
function toWriteError(path: string, cause: unknown): Error {
  const isFolderMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
  return isFolderMissing ? folderMissing({ path, folder: dirname(path) }, { cause }) : fileUnwritable({ path, reason: toReason(cause) }, { cause })
}

function toReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied'
  return code ?? 'unknown'
}

/** Text of the file at `path`, 64 MiB at most. @throws CUCKOO_CLI_FILE_UNREADABLE */
export async function readTextFile(path: string): Promise<string> {
  return (await readBytes(path)).toString('utf8')
}

/** Bytes of the file at `path`, 64 MiB at most. @throws CUCKOO_CLI_FILE_UNREADABLE */
export async function readBytes(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path)
    if (size > maxBytes) throw fileUnreadable({ path, reason: `it has ${size} bytes` })
    return await readFile(path)
  } catch (cause) {
    if ((cause as { code?: string }).code === fileUnreadable.code) throw cause
    throw fileUnreadable({ path, reason: toReason(cause) }, { cause })
  }
}

/** Writes a file that is not there yet, readable by its owner only. @throws CUCKOO_CLI_FILE_EXISTS, CUCKOO_CLI_FOLDER_MISSING, CUCKOO_CLI_FILE_UNWRITABLE */
export async function writeNewFile(path: string, text: string | Uint8Array): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw fileExists({ path }, { cause })
    throw toWriteError(path, cause)
  }
}

/** Writes a file, replacing what was there. @throws CUCKOO_CLI_FOLDER_MISSING, CUCKOO_CLI_FILE_UNWRITABLE */
export async function replaceFile(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (cause) {
    throw toWriteError(path, cause)
  }
}

/** Makes the folder at `path`, and those above it, where they are missing. @throws CUCKOO_CLI_FILE_UNWRITABLE */
export async function createFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw toWriteError(path, cause)
  }
}

/** @throws CUCKOO_CLI_FOLDER_MISSING, CUCKOO_CLI_FILE_UNWRITABLE when no file can be made at `path`, before there is anything to write */
export async function assertWritable(path: string): Promise<void> {
  try {
    await access(existsSync(path) ? path : dirname(path), constants.W_OK)
  } catch (cause) {
    throw toWriteError(path, cause)
  }
}

import { readFile, stat, writeFile } from 'node:fs/promises'
import { fileExists, fileUnreadable, fileUnwritable } from '../errors/cli.ts'

const maxTextBytes = 64 * 1024 * 1024

function toReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied'
  return code ?? 'unknown'
}

/** Text of the file at `path`, 64 MiB at most. @throws CUCKOO_CLI_FILE_UNREADABLE */
export async function readTextFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path)
    if (size > maxTextBytes) throw fileUnreadable({ path, reason: `it has ${size} bytes` })
    return await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as { code?: string }).code === fileUnreadable.code) throw cause
    throw fileUnreadable({ path, reason: toReason(cause) }, { cause })
  }
}

/** Writes a file that is not there yet, readable by its owner only. @throws CUCKOO_CLI_FILE_EXISTS, CUCKOO_CLI_FILE_UNWRITABLE */
export async function writeNewFile(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600, flag: 'wx' })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw fileExists({ path }, { cause })
    throw fileUnwritable({ path, reason: toReason(cause) }, { cause })
  }
}

/** Writes a file, replacing what was there. @throws CUCKOO_CLI_FILE_UNWRITABLE */
export async function replaceFile(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (cause) {
    throw fileUnwritable({ path, reason: toReason(cause) }, { cause })
  }
}

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The version in package.json. */
export function getVersion(): string {
  return (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version
}

/** Path of bin/cuckoo.js, for commands that start others as processes. */
export function getScriptPath(): string {
  return fileURLToPath(new URL('../../bin/cuckoo.js', import.meta.url))
}

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The copy of onnxruntime-node that transformers.js loads: the one that models run on. */
export interface Runtime {
  version: string
  /** its folder */
  directory: string
  /** where it looks for its own libraries on this platform */
  binaries: string
}

/** Where the runtime is, found without loading it. */
export function findRuntime(): Runtime {
  const require = createRequire(createRequire(import.meta.url).resolve('@huggingface/transformers'))
  const path = require.resolve('onnxruntime-node/package.json')
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string }
  const directory = dirname(path)
  return { version, directory, binaries: join(directory, 'bin', 'napi-v6', process.platform, process.arch) }
}

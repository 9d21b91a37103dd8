import { copyFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'

const root = join(import.meta.dirname, '..', '..')

/** forge's entry point, to be run by node. */
export const forge = join(root, 'node_modules', '@foundry-rs', 'forge', 'bin.mjs')

/**
 * The path of a new folder outside the tree, for the caller to remove: a forge project with the test files that the patterns
 * (from contracts/test) match and what they import, nothing else. forge compiles a whole project, whatever is run of it.
 *
 * @throws Error when a pattern matches no file
 */
export function createCopy(patterns: string[]): string {
  const tests = patterns.flatMap((pattern) => {
    const paths = globSync(join('contracts', 'test', pattern), { cwd: root })
    if (paths.length === 0) throw new Error(`no test is called ${pattern}`)
    return paths
  })
  const copy = mkdtempSync(join(tmpdir(), 'cuckoo-contracts-'))
  for (const path of [...findImports(tests), 'contracts/script/solc.js', 'foundry.toml', 'package.json']) {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    copyFileSync(join(root, path), join(copy, path))
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir')
  return copy
}

/** The files, by path from the root, and all in the tree that they import. */
function findImports(files: string[]): Set<string> {
  const found = new Set<string>()
  const left = [...files]
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (found.has(path)) continue
    found.add(path)
    const text = readFileSync(join(root, path), 'utf8')
    for (const [, target] of text.matchAll(/(?:from|import) "(\.[^"]+)";/g)) {
      if (target !== undefined) left.push(normalize(join(dirname(path), target)))
    }
  }
  return found
}

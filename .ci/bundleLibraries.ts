/**
 * The last step of the build: the parts of viem and zod that `dist` uses, each bundled into one file under `dist/vendor`, and the
 * imports in `dist` pointed there. Loading viem's 600 small files took longer than all else that a command does at its start.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { rolldown } from 'rolldown'

const libraries = ['viem', 'zod']
const dist = 'dist'
const vendor = join(dist, 'vendor')

const files = readdirSync(dist, { recursive: true, encoding: 'utf8' })
  .map((file) => join(dist, file))
  .filter((file) => file.endsWith('.js') && !file.startsWith(vendor + sep))

rmSync(vendor, { recursive: true, force: true })
mkdirSync(vendor)
for (const library of libraries) {
  const statement = new RegExp(`^(import|export) \\{([^}]*)\\} from '${library}';`, 'gm')
  const names = new Set<string>()
  for (const file of files) {
    const text = readFileSync(file, 'utf8')
    const target = relative(dirname(file), join(vendor, `${library}.js`))
      .split(sep)
      .join('/')
    const changed = text.replace(statement, (_, keyword: string, list: string) => {
      for (const name of list.split(',')) names.add(name.trim().split(' as ')[0] as string)
      return `${keyword} {${list}} from '${target.startsWith('.') ? target : `./${target}`}';`
    })
    if (changed !== text) writeFileSync(file, changed)
    if (new RegExp(`from '${library}['/]`).test(changed)) throw new Error(`${file} imports ${library} in a way that this script does not know`)
  }
  if (names.size > 0) await bundle(library, [...names].sort())
}

async function bundle(library: string, names: readonly string[]): Promise<void> {
  const entry = `export { ${names.join(', ')} } from '${library}'`
  const bundled = await rolldown({
    input: library,
    platform: 'node',
    plugins: [
      {
        name: 'entry',
        resolveId: { order: 'pre', handler: (id, importer) => (importer === undefined && id === library ? `${process.cwd()}/${library}.entry.js` : null) },
        load: (id) => (id.endsWith(`/${library}.entry.js`) ? entry : null),
      },
    ],
  })
  await bundled.write({
    dir: vendor,
    format: 'esm',
    entryFileNames: `${library}.js`,
    chunkFileNames: `${library}-[name].js`,
    comments: { legal: true, annotation: false, jsdoc: false },
  })
  await bundled.close()
}

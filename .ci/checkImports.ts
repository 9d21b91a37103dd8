/**
 * Runs dependency-cruiser over src, then once more over a planted violation: a checker that finds nothing because it reads
 * nothing must not pass. Exit 1 when an import runs the wrong way or the planted one is not found.
 */
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'

const planted = 'src/domain/plantedViolation.ts'

function runCruiser(): { status: number; output: string } {
  const run = spawnSync('depcruise', ['--config', '.dependency-cruiser.js', 'src'], { encoding: 'utf8', shell: process.platform === 'win32' })
  return { status: run.status ?? 1, output: `${run.stdout}${run.stderr}` }
}

const real = runCruiser()
// It warns that it knows no TypeScript 7 compiler; it parses with swc, and the count below shows that it saw the sources.
process.stdout.write(real.output.split('‼')[0] as string)
if (real.status !== 0) process.exit(1)
const modules = Number(/\((\d+) modules/.exec(real.output)?.[1] ?? 0)
if (modules < 50) {
  process.stderr.write(`dependency-cruiser read ${modules} modules: it does not see the sources\n`)
  process.exit(1)
}

writeFileSync(planted, "import type { Chain } from '../chain/createChain.ts'\nexport type Planted = Chain\n")
try {
  const broken = runCruiser()
  if (broken.status === 0 || !broken.output.includes('room-domain')) {
    process.stderr.write(`the planted violation was not found:\n${broken.output}`)
    process.exit(1)
  }
  process.stdout.write('planted violation: found\n')
} finally {
  rmSync(planted, { force: true })
}

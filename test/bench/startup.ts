/**
 * Start-up of the command line against bare node: `npm run bench:startup`. Runs alternate, so that a slow minute of the machine
 * hits both; the median of `runs` counts. `status` needs a running devnet and is left out without one.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../../bin/cuckoo.js', import.meta.url))
const runs = Number(process.argv[2] ?? 15)

const cases: { name: string; args: string[] }[] = [
  { name: 'node -e 0', args: ['-e', '0'] },
  { name: 'cuckoo --help', args: [script, '--help'] },
  { name: 'cuckoo stake --help', args: [script, 'stake', '--help'] },
  { name: 'cuckoo status --json', args: [script, 'status', '--account', 'dev-staker-1', '--json'] },
]

function measure(args: string[]): number | null {
  const startedAt = performance.now()
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' })
  return status === 0 ? performance.now() - startedAt : null
}

const usable = cases.filter(({ name, args }) => {
  // The first run also fills the compile cache.
  const works = measure(args) !== null
  if (!works) process.stdout.write(`skipped: ${name} fails here (it needs \`cuckoo devnet start\`)\n`)
  return works
})
const times = new Map<string, number[]>(usable.map(({ name }) => [name, []]))
for (let run = 0; run < runs; run++) for (const { name, args } of usable) times.get(name)?.push(measure(args) ?? Number.NaN)

const toMedian = (values: number[]) => values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] as number
const bare = toMedian(times.get('node -e 0') ?? [])
for (const [name, values] of times) {
  const median = toMedian(values)
  process.stdout.write(`${name.padEnd(24)} ${median.toFixed(1).padStart(7)} ms  ${(median / bare).toFixed(2)} × bare node\n`)
}

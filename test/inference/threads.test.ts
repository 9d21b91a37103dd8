import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createEngine } from '../../src/inference/createEngine.ts'

const isTold = process.platform === 'linux' && availableParallelism() > 1

/** The processors that each thread of this process may run on. */
function listAllowed(): string[] {
  return readdirSync('/proc/self/task').map((task) => /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync(`/proc/self/task/${task}/status`, 'latin1'))?.[1] ?? '')
}

it.skipIf(!isTold)('a model pins no thread to a core', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'cuckoo-threads-'))
  const engine = createEngine({ modelsDirectory: directory, offline: true })
  try {
    const before = new Set(listAllowed())
    const threads = listAllowed().length
    const model = await engine.openModel({ model: 'cuckoo/blocks', source: { from: 'bundled' }, dtype: 'fp32', device: 'cpu' })
    expect(listAllowed().length).toBeGreaterThan(threads)
    expect(new Set(listAllowed())).toEqual(before)
    await model.dispose()
  } finally {
    await engine.dispose()
    rmSync(directory, { recursive: true, force: true })
  }
})

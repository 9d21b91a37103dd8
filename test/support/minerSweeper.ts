/**
 * A process that sweeps a miner's journal until nothing is left to do or it is killed, for crash tests: prints one line for each step that
 * was acknowledged. Arguments: the directory, and the unix seconds that it takes for now.
 */
import { writeSync } from 'node:fs'
import { openMinerStore } from '../../src/store/minerStore.ts'

const [directory = '', now = '0'] = process.argv.slice(2)
const store = await openMinerStore({ directory })
writeSync(1, 'open\n')
for (;;) {
  const { results } = await store.sweepResults({ now: Number(now), bodySeconds: 0, rowSeconds: 100, limit: 3, limitBytes: 1_000_000 })
  writeSync(1, `swept ${results}\n`)
  if (results === 0) break
}

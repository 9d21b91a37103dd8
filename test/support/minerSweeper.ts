/**
 * A process that sweeps a miner's journal until nothing is left to do, for crash tests; it kills itself in the transaction that its n-th
 * writing statement belongs to, as soon as that has run. Arguments: the directory, the unix seconds that it takes for now, and n.
 */
import { StatementSync } from 'node:sqlite'
import { openMinerStore } from '../../src/store/minerStore.ts'

const [directory = '', now = '0', statements = '1'] = process.argv.slice(2)
const store = await openMinerStore({ directory })
const { run } = StatementSync.prototype
let left = Number(statements)
StatementSync.prototype.run = function (this: StatementSync, ...values: Parameters<typeof run>) {
  const changes = run.apply(this, values)
  left--
  if (left === 0) process.kill(process.pid, 'SIGKILL')
  return changes
} as typeof run
for (;;) {
  const { results } = await store.sweepResults({ now: Number(now), bodySeconds: 0, rowSeconds: 100, limit: 3, limitBytes: 1_000_000 })
  if (results === 0) break
}
await store.close()

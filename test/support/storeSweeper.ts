/**
 * A process that deletes the contents of ended tasks until it is killed, for crash tests: prints one line for each step that was
 * acknowledged. Arguments: the directory, and the unix ms before which tasks must have ended.
 */
import { writeSync } from 'node:fs'
import { openCoordinatorStore } from '../../src/store/coordinatorStore.ts'

const [directory = '', before = '0'] = process.argv.slice(2)
const beforeMs = Number(before)
const store = await openCoordinatorStore({ directory })
writeSync(1, 'open\n')
await store.raiseContentHorizon(beforeMs)
writeSync(1, 'horizon\n')
for (;;) {
  const { blobs } = await store.deleteBlobs({ by: 'task', neededBeforeMs: beforeMs, limit: 3, limitBytes: 1_000 })
  writeSync(1, `deleted ${blobs}\n`)
  if (blobs === 0) break
}

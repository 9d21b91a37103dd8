/**
 * A process that writes to a store until it is killed, for crash tests: prints one line for each write that was acknowledged.
 * Arguments: 'coordinator' or 'miner', the directory, the first task's number.
 */
import { writeSync } from 'node:fs'
import { openCoordinatorStore } from '../../src/store/coordinatorStore.ts'
import { openMinerStore } from '../../src/store/minerStore.ts'
import { createNewTask, toDraw, toNumberedHash } from './storeFixtures.ts'

const [kind = '', directory = '', first = '1'] = process.argv.slice(2)
const writers = 8
// Synchronous: what this process has printed stays printed when it is killed.
const print = (word: string, number: number) => writeSync(1, `${word} ${number}\n`)

if (kind === 'coordinator') {
  const store = await openCoordinatorStore({ directory })
  let { index } = await store.getDrawLog()
  print('open', store.incarnation)
  let next = Number(first)
  const run = async () => {
    for (;;) {
      const number = next++
      await store.createTask(createNewTask(number, { idempotencyKey: `key ${number}` }))
      print('created', number)
      const id = toNumberedHash(number)
      const miner = `0x${'1'.padStart(40, '0')}` as const
      const draw = toDraw(index++, id)
      await store.assignTask({ id, attempt: 1, miner, leaseUntilMs: 1, assignmentDigest: id, signedAssignment: Buffer.from(id), draw })
      print('assigned', number)
      await store.putBlob(Buffer.from(`output ${number}`))
      print('blob', number)
    }
  }
  await Promise.all(Array.from({ length: writers }, run))
} else {
  const store = await openMinerStore({ directory })
  print('open', 0)
  let next = Number(first)
  const run = async () => {
    for (;;) {
      const number = next++
      const id = toNumberedHash(number)
      await store.journalResult({
        assignmentDigest: id,
        taskId: id,
        attempt: 1,
        coordinator: `0x${'2'.padStart(40, '0')}`,
        priceWei: 1n,
        deadline: 1n,
        body: Buffer.from(`body ${number}`),
      })
      print('journalled', number)
    }
  }
  await Promise.all(Array.from({ length: writers }, run))
}

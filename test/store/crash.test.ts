import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { describe, expect, test } from 'vitest'
import { sha256 } from '../../src/domain/canonical.ts'
import { openAppStore } from '../../src/store/appStore.ts'
import { openCoordinatorStore } from '../../src/store/coordinatorStore.ts'
import { openMinerStore } from '../../src/store/minerStore.ts'
import { toNumberedHash } from '../support/storeFixtures.ts'
import { addCleanUp, createStoreDirectory, endStoresAfterEach } from '../support/testStores.ts'

endStoresAfterEach()

const writer = new URL('../support/storeWriter.ts', import.meta.url).pathname

function startWriter(kind: 'coordinator' | 'miner', directory: string, first: number): ChildProcess & { lines: AsyncIterable<string> } {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', writer, kind, directory, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  addCleanUp(() => child.kill('SIGKILL'))
  return Object.assign(child, { lines: createInterface({ input: child.stdout as NodeJS.ReadableStream }) })
}

/** Lets a writer work until it has acknowledged `lines` writes, kills it, and returns all that it acknowledged. */
async function runUntilKilled(kind: 'coordinator' | 'miner', directory: string, first: number, lines: number): Promise<[string, number][]> {
  const child = startWriter(kind, directory, first)
  const seen: [string, number][] = []
  for await (const line of child.lines) {
    const [word = '', number = ''] = line.split(' ')
    seen.push([word, Number(number)])
    if (seen.length === lines) child.kill('SIGKILL')
  }
  expect(child.signalCode ?? (await new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal))))).toBe('SIGKILL')
  return seen
}

describe('SIGKILL in the middle of writes', () => {
  test('20 times: every acknowledged task, assignment and blob is there, and the incarnation rises each time', async () => {
    const directory = createStoreDirectory()
    const acknowledged: [string, number][] = []
    let first = 1
    for (let round = 1; round <= 20; round++) {
      // Another number of writes each time, so that the kill falls into another place of a batch.
      const seen = await runUntilKilled('coordinator', directory, first, 20 + ((round * 37) % 90))
      expect(seen[0]).toEqual(['open', round])
      acknowledged.push(...seen.slice(1))
      first = Math.max(first, ...seen.slice(1).map(([, number]) => number)) + 100
    }
    const store = await openCoordinatorStore({ directory })
    addCleanUp(() => store.close())
    expect(store.incarnation).toBe(21)
    for (const [word, number] of acknowledged) {
      const id = toNumberedHash(number)
      if (word === 'created') expect(await store.findTaskByIdempotencyKey('app', `key ${number}`)).toMatchObject({ id })
      else if (word === 'assigned')
        expect([(await store.getTask(id))?.attempt, Buffer.from((await store.getSignedAssignment(id, 1)) ?? []).toString()]).toEqual([1, id])
      else expect(await store.getBlob(sha256(`output ${number}`))).not.toBeNull()
    }
    const open = await store.listOpenTasks()
    expect(new Set(open.map((task) => task.id)).size).toBe(open.length)
    expect(acknowledged.length).toBeGreaterThan(800)
    // An assigned task without its journal entry, or the other way round, would be half a transaction.
    for (const task of open) expect((await store.getSignedAssignment(task.id, 1)) !== null).toBe(task.state === 'assigned')
  })

  test('of a miner: what was journalled is there', async () => {
    const directory = createStoreDirectory()
    for (let round = 1; round <= 5; round++) {
      const seen = await runUntilKilled('miner', directory, round * 10_000, 10 + round * 13)
      const store = await openMinerStore({ directory })
      const stored = new Set((await store.listUndelivered(`0x${'2'.padStart(40, '0')}`)).map((entry) => entry.assignmentDigest))
      await store.close()
      for (const [word, number] of seen) if (word === 'journalled') expect(stored).toContain(toNumberedHash(number))
    }
  })
})

describe('one owner (fault 23)', () => {
  test.each(['coordinator', 'miner'] as const)(
    'a second %s on the same directory is refused by name, and let in as soon as the first is killed',
    async (kind) => {
      const directory = createStoreDirectory()
      const child = startWriter(kind, directory, 1)
      for await (const _ of child.lines) break
      const open = () => (kind === 'coordinator' ? openCoordinatorStore({ directory }) : openMinerStore({ directory }))
      await expect(open()).rejects.toMatchObject({ code: 'CUCKOO_STORE_LOCKED', kind: 'rejected', message: expect.stringContaining(`process ${child.pid}`) })
      child.kill('SIGKILL')
      await new Promise((resolve) => child.once('exit', resolve))
      const store = await open()
      await expect(open()).rejects.toMatchObject({ code: 'CUCKOO_STORE_LOCKED', message: expect.stringContaining(`process ${process.pid}`) })
      await store.close()
      await (await open()).close()
    },
  )

  test('an app store opens beside the owner', async () => {
    const directory = createStoreDirectory()
    const child = startWriter('coordinator', directory, 1)
    for await (const _ of child.lines) break
    const apps = await openAppStore({ directory })
    await apps.createApp({ id: 'app_1', name: 'n', keyHash: toNumberedHash(1), keyPrefix: 'cuckoo_', createdAt: 1, revokedAt: null })
    expect((await apps.listApps()).length).toBe(1)
    await apps.close()
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
  })
})

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, test } from 'vitest'
import { type Client, createClient } from '../../../src/api/client.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

type KillAt = 'beforeCommit' | 'afterCommit' | 'never'

async function startCoordinator(directory: string, killAt: KillAt, apiKey?: string): Promise<{ child: ChildProcess; client: Client; apiKey: string }> {
  const child = fork(new URL('../../support/coordinatorProcess.ts', import.meta.url), [directory, killAt], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  cleanUps.push(() => child.kill('SIGKILL'))
  const [served] = (await once(child, 'message')) as [{ url: string; apiKey: string }]
  const key = apiKey ?? served.apiKey
  const client = createClient({ url: served.url, apiKey: key, allowPrivate: true })
  cleanUps.push(() => client.close())
  return { child, client, apiKey: key }
}

async function waitForExit(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

describe('a coordinator killed while it takes a task (fault 1)', () => {
  const body = { model: 'test/letters', kind: 'completion' as const, input: { prompt: 'abc' }, params: {}, dryRun: false }
  const options = { headers: { 'idempotency-key': 'only-once' } }

  test.each<[string, KillAt, number]>([
    ['before the commit', 'beforeCommit', 2],
    ['between commit and reply', 'afterCommit', 1],
    ['after the reply', 'never', 1],
  ])('%s: the same idempotency key makes one task', { timeout: 30_000 }, async (_, killAt, incarnation) => {
    const directory = mkdtempSync(join(tmpdir(), 'cuckoo-killed-'))
    cleanUps.push(() => rmSync(directory, { recursive: true, force: true }))
    const first = await startCoordinator(directory, killAt)
    const asking = first.client.createTask({ body }, options)
    if (killAt === 'never') {
      await asking
      first.child.kill('SIGKILL')
    } else await expect(asking).rejects.toMatchObject({ code: 'CUCKOO_API_UNREACHABLE' })
    await waitForExit(first.child)
    expect(first.child.signalCode).toBe('SIGKILL')

    const second = await startCoordinator(directory, 'never', first.apiKey)
    const again = await Promise.all([second.client.createTask({ body }, options), second.client.createTask({ body }, options)])
    second.child.disconnect()
    await waitForExit(second.child)
    const file = new DatabaseSync(join(directory, 'coordinator.sqlite'))
    const rows = file.prepare('SELECT id, idempotency_key FROM tasks').all() as { id: string; idempotency_key: string }[]
    file.close()
    expect(rows.length).toBe(1)
    expect(again.map(({ task }) => task?.id)).toEqual([rows[0]?.id, rows[0]?.id])
    // The first 8 bytes of a task's id say which start of the store made it.
    expect(Number(rows[0]?.id.slice(0, 18))).toBe(incarnation)
  })
})

import { DatabaseSync } from 'node:sqlite'
import { vi } from 'vitest'

/** What `write` commits, each at its level: FULL is flushed with all before it, NORMAL is not. */
export async function listCommits(write: () => Promise<unknown>): Promise<string[]> {
  const commits: string[] = []
  const exec = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql) {
    if (sql === 'COMMIT') commits.push(this.prepare('PRAGMA synchronous').get()?.['synchronous'] === 2 ? 'FULL' : 'NORMAL')
    this.prepare(sql).run()
  })
  await write().finally(() => exec.mockRestore())
  return commits
}

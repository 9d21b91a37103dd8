import type { DatabaseSync } from 'node:sqlite'
import type { Address, Hash } from '../domain/hex.ts'
import type { CrashedTask, StartedTask } from '../domain/storePorts.ts'

/** Crashes that are kept at most. */
const maxCrashes = 1_000

interface StartedRow {
  assignment_digest: string
  task_id: string
  attempt: number
  coordinator: string
  model: string
  manifest: string
  input_hash: string
  crashed_at_ms: number
  reported: number
}

/** A miner's crash journal: tasks that a model was given, and those that ended the process. All is for inside a write of the queue. */
export interface StartedTable {
  mark(task: StartedTask): void
  clear(assignmentDigest: Hash | undefined): void
  markCrashed(atMs: number, assignmentDigest: Hash | undefined): void
  markReported(assignmentDigest: Hash): void
  takeCrashes(sinceMs: number): CrashedTask[]
}

/** The table of started tasks: a row with a time is a crash, one without a task that runs. */
export function createStartedTable(database: DatabaseSync): StartedTable {
  const insert = database.prepare(
    'INSERT OR REPLACE INTO started_tasks (assignment_digest, task_id, attempt, coordinator, model, manifest, input_hash) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const remove = database.prepare('DELETE FROM started_tasks WHERE crashed_at_ms IS NULL AND (?1 IS NULL OR assignment_digest = ?1)')
  const crash = database.prepare('UPDATE started_tasks SET crashed_at_ms = ?1 WHERE crashed_at_ms IS NULL AND (?2 IS NULL OR assignment_digest = ?2)')
  const report = database.prepare('UPDATE started_tasks SET reported = 1 WHERE assignment_digest = ?')
  const removeOld = database.prepare('DELETE FROM started_tasks WHERE crashed_at_ms < ?')
  const removeMany = database.prepare(
    `DELETE FROM started_tasks WHERE rowid IN
      (SELECT rowid FROM started_tasks WHERE crashed_at_ms IS NOT NULL ORDER BY crashed_at_ms DESC, rowid DESC LIMIT -1 OFFSET ${maxCrashes})`,
  )
  const select = database.prepare('SELECT * FROM started_tasks WHERE crashed_at_ms IS NOT NULL ORDER BY crashed_at_ms DESC, rowid DESC')
  return {
    mark({ assignmentDigest, taskId, attempt, coordinator, model, manifest, inputHash }) {
      insert.run(assignmentDigest, taskId, attempt, coordinator, model, manifest, inputHash)
    },
    clear(assignmentDigest) {
      remove.run(assignmentDigest ?? null)
    },
    markCrashed(atMs, assignmentDigest) {
      crash.run(atMs, assignmentDigest ?? null)
    },
    markReported(assignmentDigest) {
      report.run(assignmentDigest)
    },
    takeCrashes(sinceMs) {
      removeOld.run(sinceMs)
      removeMany.run()
      return (select.all() as unknown as StartedRow[]).map(toCrash)
    },
  }
}

function toCrash(row: StartedRow): CrashedTask {
  return {
    assignmentDigest: row.assignment_digest as Hash,
    taskId: row.task_id as Hash,
    attempt: row.attempt,
    coordinator: row.coordinator as Address,
    model: row.model,
    manifest: row.manifest as Hash,
    inputHash: row.input_hash as Hash,
    crashedAtMs: row.crashed_at_ms,
    reported: row.reported === 1,
  }
}

import type { Hash } from '../domain/hex.ts'
import { toPrice } from '../domain/receipt.ts'
import type { CoordinatorStore, TaskRecord } from '../domain/storePorts.ts'
import { type TaskState, taskStates } from '../domain/task.ts'
import { toNewRecord } from '../domain/taskRecord.ts'
import { CuckooError } from '../errors/cuckooError.ts'
import { namingStepMs } from './blobTable.ts'
import { runRead, type StoreFile } from './database.ts'
import type { DrawTable } from './drawTable.ts'
import type { OwedTable } from './owedTable.ts'
import type { TaskBlobs } from './taskBlobs.ts'
import { encodeReceipt, fromTaskRow, type TaskRow, toTaskParameters } from './taskRows.ts'
import type { WriteQueue } from './writeQueue.ts'

type TaskMethods = Pick<
  CoordinatorStore,
  | 'createTask'
  | 'getTask'
  | 'findTaskByIdempotencyKey'
  | 'listOpenTasks'
  | 'listTasks'
  | 'assignTask'
  | 'renewLease'
  | 'completeTask'
  | 'endAttempt'
  | 'cancelTask'
  | 'getSignedAssignment'
  | 'countTasksByState'
>

const open = `state IN ('queued', 'assigned', 'running')`
const leased = `state IN ('assigned', 'running')`

/** Tasks and their signature journal: each change of state is one compare-and-set on (task, attempt, state). */
export function createTaskTable(file: StoreFile, queue: WriteQueue, parts: { taskBlobs: TaskBlobs; draws: DrawTable; owed: OwedTable }): TaskMethods {
  const { taskBlobs, draws, owed } = parts
  const prepare = (sql: string) => file.database.prepare(sql)
  const insert = prepare(`INSERT INTO tasks (id, app_id, idempotency_key, request_hash, model, manifest, kind, input_hash, params_hash, seed, task_key,
    target_miner, unit_price_wei, max_price_wei, state, attempt, failures, created_at_ms)
    VALUES (:id, :app_id, :idempotency_key, :request_hash, :model, :manifest, :kind, :input_hash, :params_hash, :seed, :task_key,
    :target_miner, :unit_price_wei, :max_price_wei, 'queued', 0, '[]', :created_at_ms)`)
  const selectById = prepare('SELECT * FROM tasks WHERE id = ?')
  const selectByKey = prepare('SELECT * FROM tasks WHERE app_id = ? AND idempotency_key = ?')
  const selectOpen = prepare(`SELECT * FROM tasks WHERE ${open} ORDER BY created_at_ms, rowid`)
  const selectMany = prepare(`SELECT * FROM tasks WHERE (:app IS NULL OR app_id = :app) AND (:state IS NULL OR state = :state)
    ORDER BY created_at_ms DESC, rowid DESC LIMIT :limit`)
  const countStates = prepare('SELECT state, count(*) AS count FROM tasks GROUP BY state')
  const assign = prepare(`UPDATE tasks SET state = 'assigned', attempt = :attempt, miner = :miner, lease_until_ms = :lease
    WHERE id = :id AND state = 'queued' AND attempt = :attempt - 1 RETURNING *`)
  const journal = prepare('INSERT INTO signed_assignments (digest, task_id, attempt, body) VALUES (?, ?, ?, ?)')
  const selectSigned = prepare('SELECT body FROM signed_assignments WHERE task_id = ? AND attempt = ?')
  const renew = prepare(`UPDATE tasks SET state = 'running', lease_until_ms = :lease WHERE id = :id AND attempt = :attempt AND ${leased} RETURNING *`)
  const complete = prepare(`UPDATE tasks SET state = 'done', lease_until_ms = NULL, output_hash = :hash, receipt = :receipt, finished_at_ms = :at
    WHERE id = :id AND attempt = :attempt AND ${leased} RETURNING *`)
  const endAttempt = prepare(`UPDATE tasks SET state = :next, miner = NULL, lease_until_ms = NULL, failures = json_insert(failures, '$[#]', json(:failure)),
    finished_at_ms = CASE :next WHEN 'queued' THEN NULL ELSE :at END WHERE id = :id AND attempt = :attempt AND ${leased} RETURNING *`)
  const cancel = prepare(`UPDATE tasks SET state = 'cancelled', lease_until_ms = NULL, finished_at_ms = :at WHERE id = :id AND ${open} RETURNING *`)

  const toRecord = (row: unknown): TaskRecord | null => (row === undefined ? null : fromTaskRow(row as TaskRow))
  const toRecords = (rows: unknown[]): TaskRecord[] => rows.map((row) => fromTaskRow(row as TaskRow))
  const findByKey = (appId: string, key: string) => toRecord(selectByKey.get(appId, key))
  /** A task that ends long after it was made names its content once more: it is kept from its end on. */
  const toEnded = (task: TaskRecord | null): TaskRecord | null => {
    if (task !== null && task.finishedAtMs !== null && task.finishedAtMs > task.createdAtMs + namingStepMs) taskBlobs.name(task, task.finishedAtMs)
    return task
  }

  return {
    createTask: async (task) => {
      // A refusal is no failure of the batch: its neighbours need not run again.
      const made = await queue.write(() => {
        const existing = task.idempotencyKey === null ? null : findByKey(task.appId, task.idempotencyKey)
        if (existing !== null) return { task: existing, created: false }
        const refusal = taskBlobs.findRefusal(task)
        if (refusal !== null) return refusal
        taskBlobs.create(task)
        insert.run(toTaskParameters(task))
        return { task: toNewRecord(task), created: true }
      })
      if (made instanceof CuckooError) throw made
      return made
    },
    getTask: (id) => runRead(file, () => toRecord(selectById.get(id))),
    findTaskByIdempotencyKey: (appId, key) => runRead(file, () => findByKey(appId, key)),
    listOpenTasks: () => runRead(file, () => toRecords(selectOpen.all())),
    listTasks: ({ appId = null, state = null, limit }) => runRead(file, () => toRecords(selectMany.all({ app: appId, state, limit }))),

    assignTask: (input) =>
      queue.write(() => {
        // The draw happened, whether or not the task was still there to be had: later draws chain on it.
        draws.append(input.draw)
        const task = toRecord(assign.get({ id: input.id, attempt: input.attempt, miner: input.miner, lease: input.leaseUntilMs }))
        if (task !== null) journal.run(input.assignmentDigest, input.id, input.attempt, input.signedAssignment)
        return task
      }),
    renewLease: (input) => queue.write(() => toRecord(renew.get({ id: input.id, attempt: input.attempt, lease: input.leaseUntilMs }))),
    completeTask: (input) =>
      queue.write(() => {
        const receipt = encodeReceipt(input.receipt)
        const task = toRecord(complete.get({ id: input.id, attempt: input.attempt, hash: input.outputHash, receipt, at: input.finishedAtMs }))
        if (task === null) return null
        taskBlobs.complete(task, input)
        if (task.miner !== null) owed.add(task.miner, toPrice(input.receipt))
        return toEnded(task)
      }),
    endAttempt: (input) =>
      queue.write(() => {
        const { id, attempt, next, atMs: at } = input
        return toEnded(toRecord(endAttempt.get({ id, attempt, next, failure: JSON.stringify(input.failure), at })))
      }),
    cancelTask: (input) => queue.write(() => toEnded(toRecord(cancel.get({ id: input.id, at: input.atMs })))),
    getSignedAssignment: (taskId: Hash, attempt: number) =>
      runRead(file, () => (selectSigned.get(taskId, attempt) as { body: Uint8Array } | undefined)?.body ?? null),

    countTasksByState: () =>
      runRead(file, () => {
        const counts = Object.fromEntries(taskStates.map((state) => [state, 0])) as Record<TaskState, number>
        for (const row of countStates.all() as unknown as { state: TaskState; count: number }[]) counts[row.state] = row.count
        return counts
      }),
  }
}

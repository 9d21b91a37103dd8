import type { DatabaseSync } from 'node:sqlite'
import type { Hash } from '../domain/hex.ts'
import type { ResultSweep } from '../domain/storePorts.ts'

/** An assignment is issued a minute ahead at most, and its deadline is a day after that at most (assertAssignment). */
const maxTaskSeconds = 86_400 + 60

/** What stands for a body that is gone: what it says of its output, and the signature. Anything that is not our JSON leaves nothing. */
const signedPart = "CASE json_valid(CAST(body AS TEXT)) WHEN 1 THEN json_remove(CAST(body AS TEXT), '$.output') ELSE '' END"

interface Swept {
  results: number
  bytes: number
}

interface SweptRow {
  number: number
  digest: Hash
  bytes: number
}

interface FormerRow extends SweptRow {
  delivered_at_ms: number | null
}

/** One kind of sweeping, for inside a write of the queue. */
type Sweep = (input: ResultSweep) => Swept

/** All of a {@link MinerStore.sweepResults}. `onSettled` hears of each result that is not delivered again, ever; of some of them twice. */
export function createResultSweeper(database: DatabaseSync, onSettled: (assignmentDigest: Hash) => void): Sweep {
  const sweeps = [createMove(database, onSettled), createStrip(database, onSettled), createForget(database, onSettled)]
  return (input) => {
    const done = { results: 0, bytes: 0 }
    for (const sweep of sweeps) {
      const { results, bytes } = sweep({ ...input, limit: input.limit - done.results, limitBytes: input.limitBytes - done.bytes })
      done.results += results
      done.bytes += bytes
    }
    return done
  }
}

/** Takes rows of the version before out of `outbox`, oldest first: those that were delivered without their bodies, once these have had their time. */
function createMove(database: DatabaseSync, onSettled: (assignmentDigest: Hash) => void): Sweep {
  const select = database.prepare(
    'SELECT rowid AS number, assignment_digest AS digest, length(body) AS bytes, delivered_at_ms FROM outbox ORDER BY rowid LIMIT ?',
  )
  const copy = database.prepare(`INSERT INTO results (assignment_digest, task_id, attempt, coordinator, price_wei, deadline, delivered_at_ms, signed)
    SELECT assignment_digest, task_id, attempt, coordinator, price_wei, :deadline, delivered_at_ms,
      CASE WHEN delivered_at_ms IS NOT NULL THEN ${signedPart} END FROM outbox WHERE rowid = :number`)
  const copyBody = database.prepare('INSERT INTO result_bodies (number, body) SELECT ?, body FROM outbox WHERE rowid = ?')
  const remove = database.prepare('DELETE FROM outbox WHERE rowid = ?')
  function* find({ now, bodySeconds, limit }: ResultSweep) {
    for (const row of select.iterate(limit) as Iterable<unknown> as Iterable<FormerRow>) {
      if (row.delivered_at_ms !== null && row.delivered_at_ms / 1000 + maxTaskSeconds + bodySeconds >= now) return
      yield row
    }
  }
  return (input) =>
    sweepEach<FormerRow>(find(input), input, ({ number, digest, delivered_at_ms }) => {
      const { lastInsertRowid } = copy.run({ number, deadline: input.now + maxTaskSeconds })
      if (delivered_at_ms === null) copyBody.run(lastInsertRowid, number)
      else onSettled(digest)
      remove.run(number)
    })
}

/** Puts the signed part in the place of each body that has had its time. */
function createStrip(database: DatabaseSync, onSettled: (assignmentDigest: Hash) => void): Sweep {
  const select = database.prepare(`SELECT number, assignment_digest AS digest, length(body) AS bytes FROM results JOIN result_bodies USING (number)
    WHERE delivered_at_ms IS NOT NULL AND signed IS NULL AND deadline < ? ORDER BY deadline LIMIT ?`)
  const strip = database.prepare(`UPDATE results SET signed = (SELECT ${signedPart} FROM result_bodies WHERE number = :number) WHERE number = :number`)
  const remove = database.prepare('DELETE FROM result_bodies WHERE number = ?')
  return (input) =>
    sweepEach(select.iterate(input.now - input.bodySeconds, input.limit), input, ({ number, digest }) => {
      strip.run({ number })
      remove.run(number)
      onSettled(digest)
    })
}

/** Deletes rows whose time is over as well. No result of an assignment with their deadlines, or earlier ones, is journaled from then on. */
function createForget(database: DatabaseSync, onSettled: (assignmentDigest: Hash) => void): Sweep {
  const select = database.prepare(`SELECT number, assignment_digest AS digest, length(signed) AS bytes FROM results
    WHERE signed IS NOT NULL AND deadline < ? ORDER BY deadline LIMIT ?`)
  const raise = database.prepare('UPDATE forgotten SET deadline = max(deadline, (SELECT deadline FROM results WHERE number = ?))')
  const remove = database.prepare('DELETE FROM results WHERE number = ?')
  return (input) =>
    sweepEach(select.iterate(input.now - input.rowSeconds, input.limit), input, ({ number, digest }) => {
      raise.run(number)
      remove.run(number)
      onSettled(digest)
    })
}

/** Applies `sweep` to the first rows, up to the one that fills the input's bytes. All are read before the first is changed. */
function sweepEach<Row extends SweptRow>(rows: Iterable<unknown>, { limitBytes }: ResultSweep, sweep: (row: Row) => void): Swept {
  const taken: Row[] = []
  let bytes = 0
  if (limitBytes > 0) {
    for (const row of rows as Iterable<Row>) {
      taken.push(row)
      bytes += row.bytes
      if (bytes >= limitBytes) break
    }
  }
  for (const row of taken) sweep(row)
  return { results: taken.length, bytes }
}

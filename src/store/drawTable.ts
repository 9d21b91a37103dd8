import type { DatabaseSync } from 'node:sqlite'
import { type Hash, zeroHash } from '../domain/hex.ts'
import type { DrawEpoch, DrawRecord } from '../domain/storePorts.ts'
import { drawLogBroken } from '../errors/store.ts'

/** The append-only draw log and the secrets of its epochs. */
export interface DrawTable {
  /**
   * Inside a write of the queue.
   * @throws CUCKOO_STORE_DRAW_LOG_BROKEN when the entry is not the log's next
   */
  append(draw: DrawRecord): void
  getHead(): { head: Hash; index: bigint }
  openEpoch(epoch: DrawEpoch): DrawEpoch
  listUnrevealed(): DrawEpoch[]
  markRevealed(epoch: number): void
}

/** The draw log's tables. */
export function createDrawTable(database: DatabaseSync): DrawTable {
  const last = database.prepare('SELECT draw_index, head FROM draws ORDER BY draw_index DESC LIMIT 1')
  const insert = database.prepare(`INSERT INTO draws (draw_index, task_id, attempt, miner, commitment, k, total_weight_wei, waiting, at_ms, head)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const insertEpoch = database.prepare('INSERT OR IGNORE INTO draw_epochs (epoch, secret, commitment) VALUES (?, ?, ?)')
  const selectEpoch = database.prepare('SELECT epoch, secret, commitment FROM draw_epochs WHERE epoch = ?')
  const selectUnrevealed = database.prepare('SELECT epoch, secret, commitment FROM draw_epochs WHERE revealed = 0 ORDER BY epoch')
  const setRevealed = database.prepare('UPDATE draw_epochs SET revealed = 1 WHERE epoch = ?')
  const getHead = () => {
    const row = last.get() as { draw_index: number; head: Hash } | undefined
    return row === undefined ? { head: zeroHash, index: 0n } : { head: row.head, index: BigInt(row.draw_index) + 1n }
  }
  return {
    append(draw) {
      const next = getHead().index
      if (draw.index !== next) throw drawLogBroken({ expectedIndex: next, foundIndex: draw.index })
      const { taskId, attempt, miner, commitment, k, waiting, atMs, head } = draw
      insert.run(draw.index, taskId, attempt, miner, commitment, k, draw.totalWeightWei.toString(), waiting, atMs, head)
    },
    getHead,
    openEpoch(epoch) {
      insertEpoch.run(epoch.epoch, epoch.secret, epoch.commitment)
      return { ...selectEpoch.get(epoch.epoch) } as unknown as DrawEpoch
    },
    listUnrevealed: () => selectUnrevealed.all().map((row) => ({ ...row }) as unknown as DrawEpoch),
    markRevealed(epoch) {
      setRevealed.run(epoch)
    },
  }
}

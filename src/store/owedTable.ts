import type { DatabaseSync } from 'node:sqlite'
import type { Address } from '../domain/hex.ts'

/** What a coordinator owes its miners. */
export interface OwedTable {
  /** wei over all time */
  get(miner: Address): bigint
  /** inside a write of the queue */
  add(miner: Address, amountWei: bigint): void
  /** inside a write of the queue */
  raise(miner: Address, atLeastWei: bigint): void
}

/** The table of what each miner is owed. Sums are made here: SQLite's integers end below them. */
export function createOwedTable(database: DatabaseSync): OwedTable {
  const select = database.prepare('SELECT owed_wei FROM owed WHERE miner = ?')
  const set = database.prepare('INSERT INTO owed (miner, owed_wei) VALUES (?, ?) ON CONFLICT (miner) DO UPDATE SET owed_wei = excluded.owed_wei')
  const get = (miner: Address) => {
    const row = select.get(miner) as { owed_wei: string } | undefined
    return row === undefined ? 0n : BigInt(row.owed_wei)
  }
  return {
    get,
    add(miner, amountWei) {
      if (amountWei > 0n) set.run(miner, (get(miner) + amountWei).toString())
    },
    raise(miner, atLeastWei) {
      if (atLeastWei > get(miner)) set.run(miner, atLeastWei.toString())
    },
  }
}

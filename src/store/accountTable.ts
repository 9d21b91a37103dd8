import type { DatabaseSync } from 'node:sqlite'
import type { Address, Hash, Hex } from '../domain/hex.ts'
import type { SignedVoucher } from '../domain/payments.ts'
import type { CoordinatorPayments } from '../domain/storePorts.ts'

interface AccountRow {
  coordinator: string
  owed_wei: string
  results: number
  voucher_wei: string | null
  voucher_issued_at: string | null
  voucher_miner: string | null
  voucher_signature: string | null
  payment_record: number
}

/** A miner's books: what each coordinator owes it and the voucher it holds. Writes are for inside a write of the queue. */
export interface AccountTable {
  open(coordinator: Address, voucher: SignedVoucher | null): void
  addResult(coordinator: Address, assignmentDigest: Hash, priceWei: bigint): void
  /** Deletes a result that is never delivered again. One that the voucher does not cover stays: a coordinator may leave few of them. */
  forgetResult(assignmentDigest: Hash): void
  keepVoucher(signed: SignedVoucher): void
  keepPaymentRecord(coordinator: Address, paymentRecord: number): void
}

/** What the books of `database` say, one entry for each coordinator. */
export function readAccounts(database: DatabaseSync): CoordinatorPayments[] {
  const rows = database.prepare('SELECT * FROM accounts ORDER BY coordinator').all() as unknown as AccountRow[]
  const findUncovered = createUncoveredFinder(database)
  return rows.map((row) => {
    const voucher = toVoucher(row)
    const { unpaidResults } = findUncovered(row)
    return {
      coordinator: row.coordinator as Address,
      owedWei: BigInt(row.owed_wei),
      results: row.results,
      unpaidResults,
      voucher,
      paymentRecord: row.payment_record,
    }
  })
}

/** The newest results with a price that the voucher of an account does not cover, in full or in part: how many, and the lowest of their numbers. */
function createUncoveredFinder(database: DatabaseSync): (row: AccountRow) => { unpaidResults: number; lowest: number } {
  const select = database.prepare("SELECT number, price_wei FROM accepted_results WHERE coordinator = ? AND price_wei <> '0' ORDER BY number DESC")
  return (row) => {
    const found = { unpaidResults: 0, lowest: Number.POSITIVE_INFINITY }
    let uncoveredWei = BigInt(row.owed_wei) - BigInt(row.voucher_wei ?? 0)
    if (uncoveredWei <= 0n) return found
    for (const { number, price_wei } of select.iterate(row.coordinator) as Iterable<unknown> as Iterable<{ number: number; price_wei: string }>) {
      found.unpaidResults++
      found.lowest = number
      uncoveredWei -= BigInt(price_wei)
      if (uncoveredWei <= 0n) break
    }
    return found
  }
}

function toVoucher(row: AccountRow): SignedVoucher | null {
  if (row.voucher_wei === null) return null
  return {
    voucher: {
      coordinator: row.coordinator as Address,
      miner: row.voucher_miner as Address,
      cumulativeWei: BigInt(row.voucher_wei),
      issuedAt: BigInt(row.voucher_issued_at as string),
    },
    signature: row.voucher_signature as Hex,
  }
}

/** The tables of a miner's books. */
export function createAccountTable(database: DatabaseSync): AccountTable {
  const select = database.prepare('SELECT * FROM accounts WHERE coordinator = ?')
  const insert = database.prepare("INSERT OR IGNORE INTO accounts (coordinator, owed_wei, results) VALUES (?, '0', 0)")
  const setOwed = database.prepare('UPDATE accounts SET owed_wei = ?, results = results + ? WHERE coordinator = ?')
  const setVoucher = database.prepare(
    'UPDATE accounts SET voucher_wei = ?, voucher_issued_at = ?, voucher_miner = ?, voucher_signature = ? WHERE coordinator = ?',
  )
  const setRecord = database.prepare('UPDATE accounts SET payment_record = ? WHERE coordinator = ?')
  const insertResult = database.prepare('INSERT OR IGNORE INTO accepted_results (assignment_digest, coordinator, price_wei) VALUES (?, ?, ?)')
  const selectResult = database.prepare('SELECT number, coordinator FROM accepted_results WHERE assignment_digest = ?')
  const deleteResult = database.prepare('DELETE FROM accepted_results WHERE number = ?')
  const findUncovered = createUncoveredFinder(database)
  const getRow = (coordinator: Address): AccountRow => {
    insert.run(coordinator)
    return select.get(coordinator) as unknown as AccountRow
  }
  const keepVoucher = ({ voucher, signature }: SignedVoucher): void => {
    const kept = toVoucher(getRow(voucher.coordinator))?.voucher
    const isNewer =
      kept === undefined || voucher.cumulativeWei > kept.cumulativeWei || (voucher.cumulativeWei === kept.cumulativeWei && voucher.issuedAt > kept.issuedAt)
    if (isNewer) setVoucher.run(voucher.cumulativeWei.toString(), voucher.issuedAt.toString(), voucher.miner, signature, voucher.coordinator)
  }
  return {
    open(coordinator, voucher) {
      if (insert.run(coordinator).changes === 0 || voucher === null) return
      setOwed.run(voucher.voucher.cumulativeWei.toString(), 0, coordinator)
      keepVoucher(voucher)
    },
    addResult(coordinator, assignmentDigest, priceWei) {
      if (insertResult.run(assignmentDigest, coordinator, priceWei.toString()).changes === 0) return
      setOwed.run((BigInt(getRow(coordinator).owed_wei) + priceWei).toString(), 1, coordinator)
    },
    forgetResult(assignmentDigest) {
      const result = selectResult.get(assignmentDigest) as { number: number; coordinator: Address } | undefined
      if (result !== undefined && result.number < findUncovered(getRow(result.coordinator)).lowest) deleteResult.run(result.number)
    },
    keepVoucher,
    keepPaymentRecord(coordinator, paymentRecord) {
      setRecord.run(paymentRecord, coordinator)
    },
  }
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { unlockAccount } from '../../src/chain/unlockAccount.ts'
import { toDigest } from '../../src/domain/eip712.ts'
import type { Hash } from '../../src/domain/hex.ts'
import type { SignedVoucher } from '../../src/domain/payments.ts'
import type { Signer } from '../../src/domain/ports.ts'
import { type Receipt, type SignedAssignment, toAssignmentDigest, toResultDigest } from '../../src/domain/receipt.ts'
import { voucher as voucherStructure } from '../../src/domain/signedStructures.ts'

/** What no cuckoo program would ever sign: for those who play the attacker. */

/** Key of an account of `home` whose password lies beside it, as those of the devnet do. */
export async function loadKey(home: string, name: string): Promise<Signer> {
  const password = readFileSync(join(home, 'accounts', `${name}.password`), 'utf8').trim()
  return (await unlockAccount({ home, name, password })).signer
}

/** The same assignment answered a second time, with another output hash: what a miner is reported for. */
export function signSecondResult(receipt: Receipt, operator: Signer, domainSeparator: Uint8Array, outputHash: Hash): Receipt {
  const result = { ...receipt.result, outputHash }
  return { ...receipt, result, resultSignature: operator.sign(toResultDigest(domainSeparator, result)) }
}

/** Any assignment: two of one attempt to different miners are what a coordinator is reported for. */
export function signAssignment(assignment: SignedAssignment['assignment'], operator: Signer, domainSeparator: Uint8Array): SignedAssignment {
  return { assignment, assignmentSignature: operator.sign(toAssignmentDigest(domainSeparator, assignment)) }
}

/** A voucher over any sum, for work or for none. */
export function signVoucher(voucher: SignedVoucher['voucher'], operator: Signer, domainSeparator: Uint8Array): SignedVoucher {
  return { voucher, signature: operator.sign(toDigest(domainSeparator, voucherStructure, voucher)) }
}

import { createHash, randomBytes } from 'node:crypto'
import type { Chain } from '../../src/domain/chainPort.ts'
import type { Evidence } from '../../src/domain/dispute.ts'
import { toDigest } from '../../src/domain/eip712.ts'
import { type Address, type Hash, toHex } from '../../src/domain/hex.ts'
import type { SignedVoucher } from '../../src/domain/payments.ts'
import type { Signer } from '../../src/domain/ports.ts'
import { type Receipt, toAssignmentDigest, toResultDigest } from '../../src/domain/receipt.ts'
import { type Assignment, voucher as voucherStructure } from '../../src/domain/signedStructures.ts'

/** A node for tests: who owns it and whose key signs for it. */
export interface Party {
  owner: Signer
  operator: Signer
}

/** What a coordinator's operator signs for a miner, over all that it ever owed. */
export function signVoucher(chain: Chain, from: Party, miner: Address, cumulativeWei: bigint, issuedAt: number): SignedVoucher {
  const voucher = { coordinator: from.owner.address, miner, cumulativeWei, issuedAt: BigInt(issuedAt) }
  return { voucher, signature: from.operator.sign(toDigest(chain.domainSeparator, voucherStructure, voucher)) }
}

/** Some input, params and `output` as canonical JSON. */
export function toEvidence(output: string): Evidence {
  const encode = (value: unknown): Uint8Array => new Uint8Array(Buffer.from(JSON.stringify(value)))
  return { input: encode({ prompt: [1, 2, 3] }), params: encode({ maxTokens: 3 }), output: encode({ tokens: output }) }
}

/** A receipt over `evidence`, signed by both operators. */
export function signReceipt(
  chain: Chain,
  parties: { coordinator: Party; miner: Party },
  evidence: Evidence,
  change: Partial<Assignment> & Pick<Assignment, 'issuedAt'>,
): Receipt {
  const assignment: Assignment = {
    taskId: toHex(randomBytes(32)),
    attempt: 1,
    coordinator: parties.coordinator.owner.address,
    miner: parties.miner.owner.address,
    manifest: toHash('manifest'),
    inputHash: toHash(evidence.input),
    paramsHash: toHash(evidence.params),
    seed: 7n,
    unitPriceWei: 10n,
    maxPriceWei: 1_000n,
    deadline: change.issuedAt + 60n,
    drawRef: toHash('draw'),
    ...change,
  }
  const digest = toAssignmentDigest(chain.domainSeparator, assignment)
  const result = { assignment: digest, outputHash: toHash(evidence.output), units: 3n, finishReason: 0 }
  return {
    assignment,
    assignmentSignature: parties.coordinator.operator.sign(digest),
    result,
    resultSignature: parties.miner.operator.sign(toResultDigest(chain.domainSeparator, result)),
  }
}

function toHash(bytes: Uint8Array | string): Hash {
  return toHex(createHash('sha256').update(bytes).digest())
}

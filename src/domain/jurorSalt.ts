import { type Vote, voteNumbers } from './dispute.ts'
import { keccak256, toDigest } from './eip712.ts'
import { type Address, fromHex, type Hash, toHex } from './hex.ts'
import type { Signer } from './ports.ts'
import { jurorSalt } from './signedStructures.ts'

/** Where a vote is cast: the salt is bound to all of it. */
export interface BallotPlace {
  court: Address
  caseId: bigint
  round: number
  node: Address
}

/**
 * The salt of a juror's vote: keccak256 of `signer`'s signature over `JurorSalt`, never shown before the reveal. Signatures are
 * deterministic (RFC 6979), so nothing has to be kept: the same key finds the same salt again. Another key of the same node does
 * not.
 * @example toJurorSalt(signer, chain.domainSeparator, { court, caseId: 3n, round: 0, node }) // '0x…', 32 bytes
 */
export function toJurorSalt(signer: Pick<Signer, 'sign'>, domainSeparator: Uint8Array, place: BallotPlace): Hash {
  const { court, caseId, round, node } = place
  return toHex(keccak256(fromHex(signer.sign(toDigest(domainSeparator, jurorSalt, { court, caseId, round, node })))))
}

/** The vote whose commitment is `commitment`, found by trying all three; undefined when the salt is another one. */
export function findVote(commitment: Hash, toCommitment: (vote: Vote) => Hash): Vote | undefined {
  const votes = (Object.keys(voteNumbers) as (keyof typeof voteNumbers)[]).filter((vote): vote is Vote => vote !== 'none')
  return votes.find((vote) => toCommitment(vote) === commitment)
}

import { z } from 'zod'
import type { AccountRecord, Chain } from '../domain/chainPort.ts'
import type { DisputeRecord, RoundRecord, SlashRecord } from '../domain/dispute.ts'
import type { Address } from '../domain/hex.ts'
import type { EscrowRecord } from '../domain/payments.ts'
import { zEarning } from './earnings.ts'
import { zClaim, zEscrow } from './escrow.ts'
import { findStageEnd, zDispute } from './jury.ts'
import { toReleases, zRelease } from './releases.ts'
import { zAddress, zBigint, zHash, zHex, zNode, zSeconds, zWei } from './schemas.ts'

const zSlash = z.object({
  node: zAddress,
  caseId: zBigint,
  bondWei: zWei,
  thawingBondWei: zWei,
  votesWei: zWei,
  at: zSeconds,
  blockNumber: zBigint,
  transaction: zHash,
  reason: z.string(),
  evidence: z.array(zHex),
})

const zCredits = z.object({
  creditWei: zWei,
  cuts: z.array(z.object({ caseId: zBigint, amountWei: zWei, releaseAt: zSeconds })),
})

/** Every bucket of an account, what is on its way to it, and how its node stands. */
export const zStatus = z.object({
  account: zAddress,
  network: z.string(),
  walletWei: zWei,
  freeWei: zWei,
  bondWei: zWei,
  votes: z.array(z.object({ node: zAddress, name: z.string().nullable(), active: z.boolean(), shares: zBigint, amountWei: zWei })),
  thaws: z.array(z.object({ id: zBigint, node: zAddress, kind: z.enum(['bond', 'votes']), amountWei: zWei, releaseAt: zSeconds, released: z.boolean() })),
  withdrawableWei: zWei.describe('free and released'),
  rewardsWei: zWei.describe('what `cuckoo claim` moves to free'),
  credits: zCredits.describe('what the court holds for the account'),
  escrow: zEscrow.nullable().describe('of coordinators'),
  claims: z.object({ owed: z.array(zClaim), due: z.array(zClaim) }).describe("on the account's bond, and on other coordinators' bonds for its miner"),
  releases: z.array(zRelease).describe('in the order of their time'),
  node: zNode.nullable(),
  totalWeightWei: zWei.nullable().describe("weight of all active nodes of the own node's role"),
  convictions: z
    .object({ step: z.int(), stepAt: zSeconds, stepBps: z.int(), openDisputes: z.int(), frozenWei: zWei.describe('what open disputes could take') })
    .nullable(),
  disputes: z
    .array(zDispute.extend({ stageEndsAt: zSeconds.nullable().describe('null: by a transaction, not by the clock') }))
    .describe('open, against the own node or by the account'),
  slashes: z.array(zSlash).describe('of the own node and of nodes voted for, oldest first'),
  earnings: z.array(zEarning).describe("the own node's, per bond epoch, oldest first"),
  blockNumber: zBigint,
  blockTimestamp: zSeconds,
})
export type Status = z.output<typeof zStatus>

/** The status of `address` in two turns of parallel reads: the second asks only what the first shows to be there. */
export async function getStatus(chain: Chain, address: Address): Promise<Status> {
  const [account, openDisputes] = await Promise.all([chain.getAccount(address), chain.listOpenDisputes()])
  const role = account.node?.role ?? 'none'
  const hasNode = account.node !== null
  const own = openDisputes.filter(({ accused, challenger }) => accused === address || challenger === address)
  const slashable = [...new Set([...(hasNode ? [address] : []), ...account.votes.map(({ node }) => node)])]
  const [nodes, totalWeightWei, convictions, earnings, slashes, rounds, payments] = await Promise.all([
    Promise.all(account.votes.map(({ node }) => chain.getNode(node))),
    role === 'none' ? null : chain.getTotalWeight(role),
    hasNode ? chain.getConvictions(address) : null,
    hasNode ? chain.getEarnings(address) : [],
    Promise.all(slashable.map((node) => chain.getSlashes(node))),
    Promise.all(own.map(({ caseId }) => chain.getRounds(caseId))),
    getPayments(chain, account),
  ])
  const thaws = account.thaws.map((thaw) => ({ ...thaw, released: thaw.releaseAt <= account.blockTimestamp }))
  return {
    ...account,
    network: chain.deployment.network,
    votes: account.votes.map((vote, index) => ({ ...vote, name: nodes[index]?.profile?.name ?? null, active: nodes[index]?.active ?? false })),
    thaws,
    withdrawableWei: thaws.reduce((sum, thaw) => sum + (thaw.released ? thaw.amountWei : 0n), account.freeWei),
    escrow: payments.escrow,
    claims: payments.claims,
    releases: toReleases({ account, escrow: payments.escrow, claims: payments.claims.due }),
    totalWeightWei,
    convictions,
    disputes: own.map((dispute, index) => ({ ...dispute, stageEndsAt: toStageEnd(dispute, rounds[index] ?? []) })),
    slashes: sortSlashes(slashes.flat()),
    earnings,
  }
}

/** Escrow and claims, which only nodes have: of a node that has left, both roles' are asked. */
async function getPayments(chain: Chain, { account, node }: AccountRecord): Promise<Pick<Status, 'escrow' | 'claims'>> {
  if (node === null) return { escrow: null, claims: { owed: [], due: [] } }
  const [escrow, owed, due] = await Promise.all([
    node.role === 'miner' ? null : chain.getEscrow(account),
    node.role === 'miner' ? [] : chain.getClaims({ coordinator: account }),
    node.role === 'coordinator' ? [] : chain.getClaims({ miner: account }),
  ])
  return { escrow: node.role === 'coordinator' || hasEscrow(escrow) ? escrow : null, claims: { owed, due } }
}

function hasEscrow(escrow: EscrowRecord | null): boolean {
  return escrow !== null && escrow.escrowWei > 0n
}

function toStageEnd(dispute: DisputeRecord, rounds: readonly RoundRecord[]): number | null {
  const round = rounds[dispute.round]
  return round === undefined ? null : findStageEnd(dispute, round)
}

function sortSlashes(slashes: readonly SlashRecord[]): SlashRecord[] {
  return [...slashes].sort((left, right) => left.at - right.at)
}

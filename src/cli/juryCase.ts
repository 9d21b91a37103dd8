import { join } from 'node:path'
import { z } from 'zod'
import { kindSchemas } from '../api/kindSchemas.ts'
import { zReceipt } from '../api/wire.ts'
import type { Chain, Deployment } from '../domain/chainPort.ts'
import type { CaseReason, Evidence } from '../domain/dispute.ts'
import { type Address, toHex } from '../domain/hex.ts'
import { taskKinds } from '../domain/taskKinds.ts'
import { getCourtClock, toEvidence } from './courtChecks.ts'
import { createFolder, writeNewFile } from './files.ts'
import { findSeat, findStageEnd, loadCase, toDuty, zDispute, zDuty, zRound, zSeat } from './jury.ts'
import { formatBundle, type ReceiptBundle } from './receipts.ts'
import { zAddress, zBigint, zHash, zHex, zSeconds, zWei } from './schemas.ts'

/** Why a case was opened: a challenge with its evidence as 0x hex, or two signatures that contradict each other. */
const zReason = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('challenge'),
    receipt: zReceipt,
    evidence: z.object({ input: zHex, params: zHex, output: zHex }),
    additions: z.array(z.object({ from: zAddress, data: zHex })),
  }),
  z.object({ kind: z.literal('miner-equivocation'), assignment: zHash, first: zHash, second: zHash }),
  z.object({ kind: z.literal('coordinator-equivocation'), taskId: zHash, attempt: z.int(), first: zHash, second: zHash }),
])

export const zCaseView = z.object({
  caseId: zBigint,
  accused: zAddress,
  by: zAddress.describe('challenger or reporter'),
  openedAt: zSeconds,
  reason: zReason,
  dispute: zDispute.nullable().describe('null for what the contract settled at once'),
  stageEndsAt: zSeconds.nullable(),
  rounds: z.array(zRound.extend({ seat: zSeat.nullable().describe("the viewed node's") })),
  node: zAddress.nullable().describe('whose seats are shown'),
  duty: zDuty.nullable(),
  slash: z.object({ bondWei: zWei, thawingBondWei: zWei, votesWei: zWei, at: zSeconds, transaction: zHash }).nullable(),
  nowAt: zSeconds.describe("the chain's time"),
  saved: z.array(z.string()).describe('files that --save wrote'),
})
export type CaseView = z.output<typeof zCaseView>

/** All that there is to know of a case, with the seats of `node`. @throws CUCKOO_COURT_CASE_UNKNOWN */
export async function loadCaseView(chain: Chain, caseId: bigint, node: Address | undefined): Promise<CaseView> {
  const opened = await chain.getCase(caseId)
  const [{ nowAt }, slashes, loaded] = await Promise.all([
    getCourtClock(chain),
    chain.getSlashes(opened.accused),
    opened.reason.kind === 'challenge' ? loadCase(chain, caseId) : null,
  ])
  const rounds = await Promise.all(
    (loaded?.rounds ?? []).map(async (round) => ({ ...round, seat: node === undefined ? null : ((await findSeat(chain, caseId, round, node)) ?? null) })),
  )
  const slash = slashes.find((candidate) => candidate.caseId === caseId)
  return {
    ...opened,
    reason: toShownReason(opened.reason),
    dispute: loaded?.dispute ?? null,
    stageEndsAt: loaded === null ? null : findStageEnd(loaded.dispute, loaded.round),
    rounds,
    node: node ?? null,
    duty: loaded === null ? null : toDuty(loaded, rounds[loaded.dispute.round]?.seat ?? undefined),
    slash: slash ?? null,
    nowAt,
    saved: [],
  }
}

function toShownReason(reason: CaseReason): CaseView['reason'] {
  if (reason.kind !== 'challenge') return reason
  const { evidence, additions } = reason
  return {
    ...reason,
    evidence: { input: toHex(evidence.input), params: toHex(evidence.params), output: toHex(evidence.output) },
    additions: additions.map(({ from, data }) => ({ from, data: toHex(data) })),
  }
}

/**
 * Writes what a juror has to judge into `folder`, as new files: the receipt in the form that every receipt command reads, the
 * three parts of the evidence byte for byte, and each addition (of strangers: bytes of any kind). Returns the paths.
 * @throws CUCKOO_CLI_FILE_EXISTS, CUCKOO_CLI_FILE_UNWRITABLE
 */
export async function saveCase(reason: CaseReason, deployment: Deployment, folder: string): Promise<string[]> {
  if (reason.kind !== 'challenge') return []
  const { receipt, evidence, additions } = reason
  const bundle = findBundle(reason, deployment)
  const files: [string, string | Uint8Array][] = [
    ['receipt.json', bundle === undefined ? `${JSON.stringify(z.encode(zReceipt, receipt), null, 2)}\n` : formatBundle(bundle)],
    ['input.json', evidence.input],
    ['params.json', evidence.params],
    ['output.json', evidence.output],
    ...additions.map(({ data }, index): [string, Uint8Array] => [`addition-${index + 1}.bin`, data]),
  ]
  await createFolder(folder)
  for (const [name, data] of files) await writeNewFile(join(folder, name), data)
  return files.map(([name]) => join(folder, name))
}

// Once the prompt is token ids a chat is a completion.
const shownKinds = taskKinds.filter((kind) => kind !== 'chat')

/**
 * The receipt with its content, or undefined where the bytes are not the canonical JSON of a content that this version knows:
 * whatever was hashed and signed is evidence. The chain does not name the kind: it is the first whose shapes these are. Kinds of the
 * same shapes (chat and completion, depth and image to image) are told apart by the manifest, and no hash depends on it.
 */
function findBundle({ receipt, evidence }: CaseReason & { kind: 'challenge' }, { chainId, contracts }: Deployment): ReceiptBundle | undefined {
  const parts = { input: findJson(evidence.input), params: findJson(evidence.params), output: findJson(evidence.output) }
  const kind = shownKinds.find((kind) => evidenceParts.every((part) => kindSchemas[kind][part].safeParse(parts[part]).success))
  if (kind === undefined) return undefined
  const bundle = { receipt, content: { kind, input: parts.input, params: parts.params }, output: parts.output, chainId, stakingContract: contracts.staking }
  const { content, output } = bundle as ReceiptBundle
  return isSame(toEvidence({ ...content, output }), evidence) ? (bundle as ReceiptBundle) : undefined
}

const evidenceParts = ['input', 'params', 'output'] as const

function isSame(first: Evidence, second: Evidence): boolean {
  return evidenceParts.every((part) => Buffer.compare(first[part], second[part]) === 0)
}

function findJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString())
  } catch {
    return undefined
  }
}

import type { SlashRecord } from '../../domain/dispute.ts'
import type { Address, Hex } from '../../domain/hex.ts'
import { readLatest } from '../blocks.ts'
import type { ChainContext } from '../context.ts'
import { type Events, readEvents, readTimestamps } from '../contractEvents.ts'

interface Reason {
  reason: string
  evidence: Hex[]
}

type Slashed = Events<'staking', 'Slashed'>[number]

/** Every slash and penalty of `node`, oldest first, with what the court and the payments contract said in the same transaction. */
export function getSlashes(context: ChainContext, node: Address): Promise<SlashRecord[]> {
  return readLatest(context, async ({ number: toBlock }) => {
    const [slashes, penalties] = await Promise.all([
      readEvents(context, 'staking', { eventName: 'Slashed', args: { node }, toBlock }),
      readEvents(context, 'staking', { eventName: 'Penalised', args: { node }, toBlock }),
    ])
    const [explainSlash, explainPenalty, timestamps] = await Promise.all([
      readSlashReasons(context, slashes, toBlock),
      readPenaltyReasons(context, penalties),
      readTimestamps(context, [...slashes, ...penalties]),
    ])
    const toPlace = (event: { blockNumber: bigint; transactionHash: Hex }) => ({
      node,
      at: timestamps.get(event.blockNumber) ?? 0,
      blockNumber: event.blockNumber,
      transaction: event.transactionHash,
    })
    const records = [
      ...slashes.map((event) => {
        const { caseId, bondWei, thawingBondWei, votesWei } = event.args
        return { logIndex: event.logIndex, record: { ...toPlace(event), caseId, bondWei, thawingBondWei, votesWei, ...explainSlash(event) } }
      }),
      ...penalties.map((event) => {
        const amounts = { caseId: 0n, bondWei: event.args.amountWei, thawingBondWei: 0n, votesWei: 0n }
        return { logIndex: event.logIndex, record: { ...toPlace(event), ...amounts, ...explainPenalty(event) } }
      }),
    ]
    return records.sort((a, b) => Number(a.record.blockNumber - b.record.blockNumber) || a.logIndex - b.logIndex).map(({ record }) => record)
  })
}

async function readSlashReasons(context: ChainContext, slashes: Events<'staking', 'Slashed'>, toBlock: bigint): Promise<(slash: Slashed) => Reason> {
  const caseId = [...new Set(slashes.map(({ args }) => args.caseId))]
  // An empty list would select the events of every case.
  if (caseId.length === 0) return () => ({ reason: '', evidence: [] })
  const filter = { args: { caseId }, toBlock }
  const [miners, coordinators, fines, closings, challenges] = await Promise.all([
    readEvents(context, 'court', { eventName: 'MinerReported', ...filter }),
    readEvents(context, 'court', { eventName: 'CoordinatorReported', ...filter }),
    readEvents(context, 'court', { eventName: 'JurorFined', ...filter }),
    readEvents(context, 'court', { eventName: 'CaseClosed', ...filter }),
    readEvents(context, 'court', { eventName: 'Challenged', ...filter }),
  ])
  return (slash) => {
    const isSame = (event: { transactionHash: Hex; args: { caseId: bigint } }): boolean =>
      event.transactionHash === slash.transactionHash && event.args.caseId === slash.args.caseId
    for (const { args } of miners.filter(isSame)) {
      return { reason: `it signed two different results for assignment ${args.assignment}`, evidence: [args.assignment, args.first, args.second] }
    }
    for (const { args } of coordinators.filter(isSame)) {
      return { reason: `it gave attempt ${args.attempt} of task ${args.taskId} to two miners`, evidence: [args.taskId, args.first, args.second] }
    }
    // The court tells of a fine right after the slash.
    const fine = fines.find((event) => isSame(event) && event.args.node === slash.args.node && event.logIndex > slash.logIndex)
    if (fine) {
      const { round, silent } = fine.args
      const duty = silent ? 'it did not reveal its vote' : 'it voted against the final verdict'
      return { reason: `as a juror in case ${slash.args.caseId}, round ${round + 1}, ${duty}`, evidence: [] }
    }
    const bps = closings.find(isSame)?.args.bps ?? 0
    const challenge = challenges.find(({ args }) => args.caseId === slash.args.caseId)
    if (!challenge) return { reason: `case ${slash.args.caseId}`, evidence: [] }
    const { assignment, result } = challenge.args.receipt
    return {
      reason: `a jury found that its output for task ${assignment.taskId} is not what the model's manifest gives (${bps / 100} % of its bond)`,
      evidence: [result.assignment, assignment.manifest, result.outputHash],
    }
  }
}

async function readPenaltyReasons(context: ChainContext, penalties: Events<'staking', 'Penalised'>) {
  const claims = await Promise.all(
    penalties.map(({ blockNumber }) => readEvents(context, 'payments', { eventName: 'ClaimPenalised', fromBlock: blockNumber, toBlock: blockNumber })),
  )
  const all = claims.flat()
  return (penalty: Events<'staking', 'Penalised'>[number]): Reason => {
    // The payments contract tells of a claim right after the penalty that staking took for it.
    const claim = all.find(({ transactionHash, logIndex }) => transactionHash === penalty.transactionHash && logIndex > penalty.logIndex)
    return { reason: `claim ${claim?.args.claimId ?? 'unknown'} on its bond was not covered in time`, evidence: [] }
  }
}

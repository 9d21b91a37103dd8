import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Chain } from '../../../domain/chainPort.ts'
import type { Hex } from '../../../domain/hex.ts'
import { beaconRoundNotReached } from '../../../errors/beacon.ts'
import { isError } from '../../../errors/cuckooError.ts'
import { seedPending } from '../../../errors/jury.ts'
import type { Context } from '../../context.ts'
import { getCourtClock } from '../../courtChecks.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatWhen } from '../../format.ts'
import { assertStage, caseArgs, type LoadedCase, loadCase } from '../../jury.ts'
import { zBigint } from '../../schemas.ts'
import { runTransaction, txOptions, viewTransaction, zTxReport } from '../../transactions.ts'

const pollMs = 500

export const jurySeal = defineCommand({
  description: `Brings the randomness that draws a case's jury onto the chain, and starts the voting. The
round was fixed when the case opened; anybody can fetch it, nobody can choose it. Where
it has not come yet, this waits for it as long as --timeout allows (exit code 75).`,
  examples: [
    { command: 'cuckoo jury seal 3', note: 'fetch and submit' },
    { command: 'cuckoo jury seal 3 --timeout 30m', note: 'wait for the round' },
  ],
  args: z.object(caseArgs),
  options: z.object(txOptions),
  output: zTxReport.extend({ caseId: zBigint, round: z.int(), randomnessRound: zBigint }),
  async run({ args, options }, context) {
    const caseId = args.case
    const chain = await context.ports.getChain()
    const [loaded, { nowAt }] = await Promise.all([loadCase(chain, caseId), getCourtClock(chain)])
    assertStage(loaded, 'sealing', 'sealing', nowAt)
    const proof = await getProof(context, chain, loaded)
    const signer = await context.ports.getSigner(options)
    const report = await runTransaction(context, options, (tx) => chain.sealRound(signer, { caseId, proof }, tx))
    return { ...report, caseId, round: loaded.round.round, randomnessRound: loaded.round.randomnessRound }
  },
  view(report, screen) {
    if (!report.dryRun) {
      screen.line(`Sealed round ${report.round + 1} of case ${report.caseId}: its jurors can vote.`)
      screen.line(`\`${screen.program} jury status ${report.caseId}\` shows the seats.`)
    }
    viewTransaction(report, screen)
  },
})

/**
 * The beacon's signature of the case's round, or nothing with block hashes; waits for a round that has not come.
 * @throws CUCKOO_JURY_SEED_PENDING when that takes longer than `--timeout`
 */
async function getProof(context: Context<never>, chain: Chain, { dispute, round }: LoadedCase): Promise<Hex> {
  const { output, signal } = context
  const { randomnessRound } = round
  const until = performance.now() + context.config.values.timeout
  const spinner = await output.spin('')
  try {
    for (let isFirst = true; ; isFirst = false) {
      const found = await tryProof(context, chain, randomnessRound)
      if (typeof found === 'string') return found
      const { reachedAt, nowAt, cause } = found
      const when = formatWhen(reachedAt, nowAt)
      if ((reachedAt - nowAt) * 1_000 > until - performance.now()) throw seedPending({ caseId: dispute.caseId, randomnessRound, reachedAt, when }, { cause })
      if (output.interactive) spinner.update(`waiting for round ${randomnessRound}, ${when}`)
      else if (isFirst) output.note(`Waiting for round ${randomnessRound}, ${when}.`)
      await sleep(pollMs, undefined, { signal })
    }
  } finally {
    spinner.stop()
  }
}

/** The proof, or when there will be one by the clock that counts: the chain's for block hashes, this machine's for a beacon. */
async function tryProof(context: Context<never>, chain: Chain, round: bigint): Promise<Hex | { reachedAt: number; nowAt: number; cause?: unknown }> {
  if (chain.deployment.randomness === 'blockhash') {
    const { nowAt } = await getCourtClock(chain)
    return nowAt >= Number(round) ? '0x' : { reachedAt: Number(round), nowAt }
  }
  try {
    return await (await context.ports.getBeacon()).fetchProof(round, context.signal)
  } catch (cause) {
    if (!isError(cause, beaconRoundNotReached)) throw cause
    return { reachedAt: Number(cause.facts['reachedAt']), nowAt: context.nowSeconds(), cause }
  }
}

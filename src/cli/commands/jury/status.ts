import { z } from 'zod'
import type { Chain } from '../../../domain/chainPort.ts'
import type { Address } from '../../../domain/hex.ts'
import { argumentMissing } from '../../../errors/cli.ts'
import { getCourtClock } from '../../courtChecks.ts'
import { defineCommand } from '../../defineCommand.ts'
import { findSeat, findViewedNode, loadCase, toDuty, zCaseId, zOverview } from '../../jury.ts'
import { loadCaseView, saveCase, zCaseView } from '../../juryCase.ts'
import { viewCase, viewOverview } from '../../juryView.ts'
import { zParty } from '../../schemas.ts'

export const juryStatus = defineCommand({
  description: `Lists the open disputes, and what the own node has to do until when; with a case: all of
it, the receipt, the dates, the rounds, the votes, the money. --save writes the receipt and
the evidence into a folder, so that a juror can run the model and judge.`,
  examples: [
    { command: 'cuckoo jury status', note: 'what is open, what is to be done' },
    { command: 'cuckoo jury status 3', note: 'one case' },
    { command: 'cuckoo jury status 3 --save case3', note: 'with its evidence in files' },
  ],
  args: z.object({ case: zCaseId.optional().describe('number of the case') }),
  options: z.object({
    node: zParty.optional().describe("whose seats to show; default: the account's node").meta({ placeholder: 'address' }),
    save: z.string().optional().describe('write receipt and evidence of the case into this folder').meta({ placeholder: 'folder' }),
  }),
  output: z.union([zOverview, zCaseView]),
  async run({ args, options }, context) {
    const chain = await context.ports.getChain()
    const node = await findViewedNode(context, chain, options.node)
    if (args.case === undefined) {
      if (options.save !== undefined) throw argumentMissing({ argument: 'case', command: context.command, usage: `${context.command} <case> --save <folder>` })
      return loadOverview(chain, node)
    }
    const view = await loadCaseView(chain, args.case, node)
    if (options.save === undefined) return view
    const { reason } = await chain.getCase(args.case)
    return { ...view, saved: await saveCase(reason, chain.deployment, options.save) }
  },
  view: (value, screen) => ('disputes' in value ? viewOverview(value, screen) : viewCase(value, screen)),
})

/** Every open dispute, those with something to do for `node` first, then the newest. */
async function loadOverview(chain: Chain, node: Address | undefined): Promise<z.output<typeof zOverview>> {
  const [open, { nowAt }] = await Promise.all([chain.listOpenDisputes(), getCourtClock(chain)])
  const disputes = await Promise.all(
    open.map(async ({ caseId }) => {
      const loaded = await loadCase(chain, caseId)
      const seat = node === undefined ? undefined : await findSeat(chain, caseId, loaded.round, node)
      return { dispute: loaded.dispute, current: loaded.round, seat: seat ?? null, duty: toDuty(loaded, seat) }
    }),
  )
  return { node: node ?? null, nowAt, disputes: [...disputes.filter(({ duty }) => duty.own), ...disputes.filter(({ duty }) => !duty.own)] }
}

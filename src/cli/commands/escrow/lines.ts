import { z } from 'zod'
import { defineCommand } from '../../defineCommand.ts'
import { getCoordinator, toSpareCover, viewLines, zLine } from '../../escrow.ts'
import { formatCai } from '../../format.ts'
import { zAddress, zParty, zSeconds, zWei } from '../../schemas.ts'

export const escrowLines = defineCommand({
  description: `Lists a coordinator's lines: what each miner can still redeem, and by how much lines may
rise. Together they never exceed escrow and half the bond.`,
  examples: [{ command: 'cuckoo escrow lines', note: 'of the own coordinator' }],
  args: z.object({ coordinator: zParty.optional().describe("the coordinator's address, or an account; default: the own") }),
  options: z.object({}),
  output: z.object({
    coordinator: zAddress,
    openWei: zWei,
    spareWei: zWei.describe('by how much lines may still rise'),
    lines: z.array(zLine),
    blockTimestamp: zSeconds,
  }),
  async run({ args }, context) {
    const { chain, coordinator, record } = await getCoordinator(context, args.coordinator)
    const [escrow, lines, { latest }] = await Promise.all([chain.getEscrow(coordinator), chain.getLines({ coordinator }), chain.getBlocks()])
    return { coordinator, openWei: escrow.openWei, spareWei: toSpareCover(escrow, record.bondWei), lines, blockTimestamp: latest.timestamp }
  },
  view({ lines, openWei, spareWei, blockTimestamp }, screen) {
    if (lines.length === 0) screen.line(`No lines: \`${screen.program} escrow raise <miner> <amount>\` opens one.`)
    else viewLines(lines, screen, blockTimestamp)
    screen.line(`Open: ${formatCai(openWei)}. Lines may rise by ${formatCai(spareWei)} more.`)
  },
})

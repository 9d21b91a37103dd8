import { z } from 'zod'
import { coordinatorNotRegistered } from '../../../errors/cli.ts'
import { defineCommand } from '../../defineCommand.ts'
import { toCoveringBond, toSpareCover, toStandingEscrow, viewClaims, viewLines, zClaim, zEscrow, zLine } from '../../escrow.ts'
import { formatCai, formatWhen } from '../../format.ts'
import { getNodeOrOwn } from '../../party.ts'
import { zParty, zSeconds, zWei } from '../../schemas.ts'

export const escrowShow = defineCommand({
  description: `Shows a coordinator's escrow: what is there and asked back, its lines, the claims on its
bond with their dates and what to do about each, and the bond that has to stay.`,
  examples: [
    { command: 'cuckoo escrow show', note: 'the own coordinator' },
    { command: 'cuckoo escrow show 0x70997970c51812dc3a010c7d01b50e0d17dc79c8', note: "anyone's" },
  ],
  args: z.object({ coordinator: zParty.optional().describe("the coordinator's address, or an account; default: the own") }),
  options: z.object({}),
  output: zEscrow.extend({
    bondWei: zWei,
    spareWei: zWei.describe('by how much lines may still rise'),
    lines: z.array(zLine),
    claims: z.array(zClaim),
    blockTimestamp: zSeconds,
  }),
  async run({ args }, context) {
    const coordinator = await getNodeOrOwn(context, args.coordinator)
    const chain = await context.ports.getChain()
    const [record, escrow, lines, claims, { latest }] = await Promise.all([
      chain.getNode(coordinator),
      chain.getEscrow(coordinator),
      chain.getLines({ coordinator }),
      chain.getClaims({ coordinator }),
      chain.getBlocks(),
    ])
    // One that has left may still have escrow to take back.
    if (record.role !== 'coordinator' && escrow.escrowWei === 0n && lines.length === 0) {
      throw coordinatorNotRegistered({ node: coordinator, network: chain.deployment.network })
    }
    return { ...escrow, bondWei: record.bondWei, spareWei: toSpareCover(escrow, toCoveringBond(record)), lines, claims, blockTimestamp: latest.timestamp }
  },
  view(value, screen) {
    const { blockTimestamp: now, program } = { ...value, program: screen.program }
    const rows: [string, string][] = [
      ['escrow', formatCai(value.escrowWei)],
      ['free', `${formatCai(toStandingEscrow(value))} not asked back`],
    ]
    if (value.thawingWei > 0n && value.releaseAt !== null) {
      const when = value.releaseAt <= now ? `now: \`${program} escrow withdraw\`` : `until ${formatWhen(value.releaseAt, now)}`
      rows.push(['thawing', `${formatCai(value.thawingWei)} asked back, ${when}`])
    }
    rows.push(['lines', `${formatCai(value.openWei)} open, ${formatCai(value.spareWei)} more possible`])
    rows.push(['claims', `${formatCai(value.claimsWei)} on the bond`])
    rows.push(['bond', `${formatCai(value.bondWei)}, of which ${formatCai(value.requiredBondWei)} must stay`])
    screen.line(screen.style('bold', value.coordinator))
    for (const [name, text] of rows) screen.line(`  ${name.padEnd(8)} ${text}`)
    if (value.lines.length > 0) {
      screen.line()
      viewLines(value.lines, screen, now)
    }
    if (value.claims.length > 0) {
      screen.line()
      viewClaims(value.claims, screen, now)
    }
  },
})

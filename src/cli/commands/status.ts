import { z } from 'zod'
import { getStatus, zStatus } from '../accountStatus.ts'
import { defineCommand } from '../defineCommand.ts'
import { getPartyOrOwn } from '../party.ts'
import { zParty } from '../schemas.ts'
import { viewStatus } from '../statusView.ts'

export const status = defineCommand({
  description: `Shows every bucket of an account: what is outside the contracts, free, bonded, voted,
thawing, earned, in escrow and at the court; everything that will be released, with its
date and the command that takes it; how its node stands, and what to do about it; open
disputes, every slash with its reason, and what the last epochs brought.`,
  examples: [
    { command: 'cuckoo status', note: 'the account in use; needs no password' },
    { command: 'cuckoo status 0x70997970c51812dc3a010c7d01b50e0d17dc79c8', note: "anyone's" },
  ],
  args: z.object({ address: zParty.optional().describe('address, or an account of this machine') }),
  options: z.object({}),
  output: zStatus,
  async run({ args }, context) {
    const address = await getPartyOrOwn(context, args.address)
    return getStatus(await context.ports.getChain(), address)
  },
  view(value, screen, context) {
    // A devnet's clock may have been moved: what counts is the chain's.
    viewStatus(value, screen, Math.max(context.nowSeconds(), value.blockTimestamp))
  },
})

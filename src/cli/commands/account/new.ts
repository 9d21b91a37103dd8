import { z } from 'zod'
import { defineCommand } from '../../defineCommand.ts'
import { zAddress } from '../../schemas.ts'

export const accountNew = defineCommand({
  description: `Makes a key from this machine's randomness and keeps it in $CUCKOO_HOME/accounts,
encrypted with a password (keystore v3, as geth and Foundry read it). The password
is asked for, or comes from CUCKOO_PASSWORD, --password-file or --password-fd.`,
  examples: [
    { command: 'cuckoo account new alice', note: 'asks for a password' },
    { command: 'cuckoo account new ci --password-file ./pw', note: 'for scripts' },
  ],
  args: z.object({ name: z.string().describe('small letters, digits, dots, dashes, underscores') }),
  options: z.object({}),
  output: z.object({ name: z.string(), address: zAddress, path: z.string() }),
  async run({ args }, { ports }) {
    return ports.accounts.create(args.name, await ports.getPassword(args.name, true))
  },
  view({ name, address, path }, screen) {
    screen.line(`Account ${screen.style('bold', name)}: ${address}`)
    screen.line(`Kept in ${path}`)
    screen.note('Nobody can restore it for you: keep a copy of this file and its password.')
  },
})

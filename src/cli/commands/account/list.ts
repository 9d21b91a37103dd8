import { z } from 'zod'
import { defineCommand } from '../../defineCommand.ts'
import { zAddress } from '../../schemas.ts'

export const accountList = defineCommand({
  examples: [{ command: 'cuckoo account list', note: 'needs no password' }],
  args: z.object({}),
  options: z.object({}),
  output: z.object({ accounts: z.array(z.object({ name: z.string(), address: zAddress.nullable(), path: z.string(), problem: z.string().nullable() })) }),
  async run(_, { ports }) {
    return { accounts: await ports.accounts.list() }
  },
  view({ accounts }, screen) {
    if (accounts.length === 0) return screen.line(`No accounts yet: \`${screen.program} account new <name>\` makes one.`)
    screen.table({
      columns: [{ title: 'name', shrink: true }, { title: 'address' }],
      rows: accounts.map(({ name, address, problem }) => [name, address ?? `unusable: ${problem}`]),
    })
  },
})

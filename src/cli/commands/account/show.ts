import { z } from 'zod'
import type { Address } from '../../../domain/hex.ts'
import { accountUnknown, accountUnusable } from '../../../errors/account.ts'
import { defineCommand } from '../../defineCommand.ts'
import { formatAddress } from '../../party.ts'
import { zAddress } from '../../schemas.ts'

export const accountShow = defineCommand({
  examples: [
    { command: 'cuckoo account show alice', note: 'its address and file' },
    { command: 'cuckoo account show', note: 'the account in use' },
  ],
  args: z.object({ name: z.string().optional().describe('account; default: the one in use') }),
  options: z.object({}),
  output: z.object({ name: z.string().nullable(), address: zAddress, checksumAddress: z.string(), path: z.string().nullable() }),
  async run({ args }, { ports }) {
    const own = args.name === undefined ? await ports.getOwn() : undefined
    const name = args.name ?? own?.name ?? null
    if (name === null) {
      const { address } = own as { address: Address }
      return { name, address, checksumAddress: formatAddress(address), path: null }
    }
    const accounts = await ports.accounts.list()
    const found = accounts.find((account) => account.name === name)
    if (found === undefined) throw accountUnknown({ name, known: accounts.map((account) => account.name) })
    if (found.address === null) throw accountUnusable({ name, problem: found.problem ?? 'it names no address' })
    return { name, address: found.address, checksumAddress: formatAddress(found.address), path: found.path }
  },
  view({ name, checksumAddress, path }, screen) {
    screen.line(`${name === null ? 'A bare key' : `Account ${screen.style('bold', name)}`}: ${checksumAddress}`)
    if (path !== null) screen.line(`Kept in ${path}`)
  },
})

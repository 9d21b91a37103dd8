import { z } from 'zod'
import { defineCommand } from '../../defineCommand.ts'
import { readTextFile } from '../../files.ts'
import { zAddress } from '../../schemas.ts'

export const accountImport = defineCommand({
  description: `Keeps a private key that exists already, encrypted with a password. The key is never
given as an argument: it comes from a file (64 hexadecimal digits, or a keystore that
the same password opens), from CUCKOO_PRIVATE_KEY, or is asked for.`,
  examples: [
    { command: 'cuckoo account import alice', note: 'asks for key and password' },
    { command: 'cuckoo account import alice --file ./UTC--alice', note: 'from a geth or Foundry keystore' },
  ],
  args: z.object({ name: z.string().describe('name the account gets here') }),
  options: z.object({ file: z.string().optional().describe('private key or keystore').meta({ placeholder: 'path' }) }),
  output: z.object({ name: z.string(), address: zAddress, path: z.string() }),
  async run({ args, options }, { ports, prompts, config }) {
    const file = options.file ?? config.values.privateKeyFile
    const key =
      file !== undefined
        ? await readTextFile(file)
        : (config.values.privateKey ?? (await prompts.askSecret('Private key', '--file <path> or CUCKOO_PRIVATE_KEY')))
    return ports.accounts.import(args.name, key, await ports.getPassword(args.name, !key.trimStart().startsWith('{')))
  },
  view({ name, address, path }, screen) {
    screen.line(`Account ${screen.style('bold', name)}: ${address}`)
    screen.line(`Kept in ${path}`)
  },
})

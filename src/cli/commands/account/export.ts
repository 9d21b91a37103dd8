import { z } from 'zod'
import { defineCommand } from '../../defineCommand.ts'
import { writeNewFile } from '../../files.ts'

export const accountExport = defineCommand({
  description: `Hands out the keystore file of an account, or with --private-key the key itself.
Whoever has the key has the money: it is written to a file that only you can read.`,
  examples: [
    { command: 'cuckoo account export alice', note: 'prints the encrypted keystore' },
    { command: 'cuckoo account export alice --private-key --out ./alice.key', note: 'the bare key, into a new file' },
  ],
  args: z.object({ name: z.string().describe('account') }),
  options: z.object({
    privateKey: z.boolean().default(false).describe('the key itself instead of the keystore'),
    out: z.string().optional().describe('new file to write, readable by you only').meta({ placeholder: 'file' }),
  }),
  output: z.object({ name: z.string(), kind: z.enum(['keystore', 'private-key']), path: z.string().nullable(), keystore: z.string().nullable() }),
  async run({ args, options }, { ports, prompts }) {
    const { name } = args
    if (!options.privateKey) {
      const keystore = await ports.accounts.readKeystore(name)
      if (options.out !== undefined) await writeNewFile(options.out, keystore)
      return { name, kind: 'keystore' as const, path: options.out ?? null, keystore: options.out === undefined ? keystore : null }
    }
    const out = options.out ?? `${name}.key`
    await prompts.confirm(`Write the private key of '${name}' in the open to ${out}?`)
    await writeNewFile(out, `${await ports.accounts.export(name, await ports.getPassword(name, false))}\n`)
    return { name, kind: 'private-key' as const, path: out, keystore: null }
  },
  view({ kind, path, keystore }, screen) {
    if (keystore !== null) return screen.line(keystore.trimEnd())
    screen.line(`The ${kind === 'keystore' ? 'keystore' : 'private key'} is in ${path}`)
  },
})

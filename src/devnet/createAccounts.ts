import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Address } from '../domain/hex.ts'
import { runDevnetRpc } from './anvil.ts'
import { type CuckooProgram, runCommand } from './runCommand.ts'

/** Plenty for a coordinator's bond, and gas. */
const balanceWei = 5_000_000n * 10n ** 18n

/**
 * Accounts of these names in the keystore of `home`, each with 5,000,000 CAI on the devnet. Their passwords lie beside them
 * (`accounts/<name>.password`, mode 0600): devnet money only. Accounts of an earlier devnet are used again.
 */
export async function createAccounts(options: {
  home: string
  program: CuckooProgram
  rpcUrl: string
  names: readonly string[]
}): Promise<{ name: string; address: Address }[]> {
  const folder = join(options.home, 'accounts')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return Promise.all(
    options.names.map(async (name) => {
      const passwordFile = join(folder, `${name}.password`)
      if (!existsSync(passwordFile))
        writeFileSync(passwordFile, `${randomBytes(16).toString('hex')}\n`, {
          mode: 0o600,
          flag: 'wx',
        })
      const verb = existsSync(join(folder, `${name}.json`)) ? ['account', 'show', name] : ['account', 'new', name, '--password-file', passwordFile]
      const address = (await runCommand(options.program, verb))['address'] as Address
      await runDevnetRpc(options.rpcUrl, 'anvil_setBalance', [address, `0x${balanceWei.toString(16)}`])
      return { name, address }
    }),
  )
}

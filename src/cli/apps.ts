import { z } from 'zod'
import type { Address } from '../domain/hex.ts'
import type { AppStore } from '../domain/storePorts.ts'
import { coordinatorStoreMissing } from '../errors/cli.ts'
import type { Context } from './context.ts'
import { getParty } from './party.ts'
import { zParty } from './schemas.ts'

export const appOptions = {
  coordinator: zParty.optional().describe('coordinator whose keys these are; default: the only one of this home').meta({ placeholder: 'address' }),
}

export const zApp = z.object({
  id: z.string(),
  name: z.string(),
  keyPrefix: z.string(),
  createdAt: z.int().describe('unix seconds'),
  revokedAt: z.int().nullable(),
})

/** The API keys of the coordinator that was named, or of the only one whose store is in this home. @throws CUCKOO_CLI_COORDINATOR_STORE_MISSING */
export async function openApps(context: Context<never>, coordinator: string | undefined): Promise<{ store: AppStore; coordinator: Address }> {
  const named = coordinator === undefined ? await getOnlyStore(context) : await getParty(context, coordinator)
  return { store: await context.ports.openAppStore(named), coordinator: named }
}

async function getOnlyStore({ ports }: Context<never>): Promise<Address> {
  const known = await ports.listCoordinatorStores()
  if (known.length === 1) return known[0] as Address
  throw coordinatorStoreMissing({ network: (await ports.getDeployment()).network, known })
}

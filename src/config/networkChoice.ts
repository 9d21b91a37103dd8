import { networkMissing } from '../errors/config.ts'
import type { Config } from './loadConfig.ts'

/** Which network a command speaks to, before its deployment is read. */
export interface NetworkChoice {
  /** null: the one that the deployment names */
  network: string | null
  /** file or URL of the deployment; null: `networks/<network>.json` of the home */
  deployment: string | null
  /** takes the place of the deployment's RPC URLs */
  rpcUrl: string | null
}

/**
 * The network of a command: `--deployment` and `--network` (flag > environment > config.json), else the devnet while it runs.
 * @throws CUCKOO_CONFIG_NETWORK_MISSING when nothing is named and no devnet runs
 * @example getNetworkChoice(config, false) // { network: 'cuckoo-sepolia', deployment: null, rpcUrl: null }
 */
export function getNetworkChoice(config: Config, devnetRuns: boolean): NetworkChoice {
  const { network = null, deployment = null, rpcUrl = null } = config.values
  if (network !== null || deployment !== null) return { network, deployment, rpcUrl }
  if (devnetRuns) return { network: 'devnet', deployment: null, rpcUrl }
  throw networkMissing({})
}

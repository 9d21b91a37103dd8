import type { Client } from '../api/client.ts'
import type { RunningCoordinator } from '../coordinator/serveCoordinator.ts'
import type { CoordinatorConfig } from '../coordinator/coordinatorPorts.ts'
import type { Config } from '../config/loadConfig.ts'
import type { Address, Hash, Hex } from '../domain/hex.ts'
import type { AppStore, Chain, Clock, Deployment, Engine, Signer, TxReport } from '../domain/ports.ts'
import type { MinerConfig } from '../miner/minerConfig.ts'
import type { RunningMiner } from '../miner/startMiner.ts'
import type { Output } from './output.ts'
import type { Prompts } from './prompts.ts'

export interface KeptAccount {
  name: string
  address: Address
  /** the keystore file */
  path: string
}

/** The accounts of the home. */
export interface Accounts {
  create(name: string, password: string): Promise<KeptAccount>
  /** `keyText`: 64 hexadecimal digits, 0x or not, or keystore JSON that opens with `password` */
  import(name: string, keyText: string, password: string): Promise<KeptAccount>
  /** the private key */
  export(name: string, password: string): Promise<Hex>
  /** keystore JSON */
  readKeystore(name: string): Promise<string>
  /** `problem`: why a file of the folder cannot be used */
  list(): Promise<{ name: string; path: string; address: Address | null; problem: string | null }[]>
}

export interface DeployRequest {
  network: string
  thawSeconds: number
  epochSeconds: number
  /** file to write; default: `networks/<network>.json` of the home */
  out: string | undefined
  dryRun: boolean
}

/**
 * What commands work with. Everything loads when it is first asked for: `status` never loads the engine, `run` never the chain.
 */
export interface Ports {
  clock: Clock
  accounts: Accounts
  /** address of the account in use, read without any password. @throws CUCKOO_ACCOUNT_MISSING, CUCKOO_ACCOUNT_AMBIGUOUS, CUCKOO_ACCOUNT_UNKNOWN */
  getOwnAddress(): Promise<Address>
  /** name of the account in use, or null for a bare key */
  findOwnName(): Promise<string | null>
  /** the unlocked account in use; with `dryRun` one that only knows its address */
  getSigner(options?: { dryRun?: boolean }): Promise<Signer>
  /** another account of this home, unlocked */
  getNamedSigner(name: string, passwordFile?: string): Promise<Signer>
  /** password of an account that is made or opened: CUCKOO_PASSWORD, --password-file, --password-fd, else asked for (twice when it is new) */
  getPassword(name: string, isNew: boolean): Promise<string>
  getDeployment(): Promise<Deployment>
  getChain(): Promise<Chain>
  deploy(request: DeployRequest): Promise<{ deployment: Deployment; path: string | null; transaction: TxReport }>
  /** the address that signed, or null */
  recover(digest: Hash, signature: Hex): Promise<Address | null>
  createClient(options: { url: string; apiKey?: string; allowPrivate: boolean }): Promise<Client>
  openAppStore(coordinator: Address): Promise<AppStore>
  /** coordinators of this network that have a store here */
  listCoordinatorStores(): Promise<Address[]>
  getEngine(): Promise<Engine>
  serveCoordinator(node: Address, signer: Signer, config: CoordinatorConfig): Promise<RunningCoordinator>
  startMiner(node: Address, signer: Signer, config: MinerConfig): Promise<RunningMiner>
  /** closes what was opened */
  dispose(): Promise<void>
}

export interface ComposeOptions {
  config: Config
  output: Output
  prompts: Prompts
  signal: AbortSignal
  env: Record<string, string | undefined>
}

export type Compose = (options: ComposeOptions) => Ports

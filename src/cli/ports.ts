import type { Client } from '../api/client.ts'
import type { ControlClient } from '../api/controlClient.ts'
import type { Config } from '../config/loadConfig.ts'
import type { CoordinatorConfig } from '../coordinator/coordinatorPorts.ts'
import type { ServingCoordinator } from '../coordinator/serveCoordinator.ts'
import type { DevnetState } from '../devnet/devnetState.ts'
import type { Beacon } from '../domain/beaconPort.ts'
import type { Chain, Deployment, NetworkParameters, RandomnessKind, TxOptions, TxReport } from '../domain/chainPort.ts'
import type { Engine } from '../domain/enginePort.ts'
import type { EngineTools } from '../domain/engineTools.ts'
import type { Address, Hex } from '../domain/hex.ts'
import type { ModelCache } from '../domain/modelCachePort.ts'
import type { Role } from '../domain/node.ts'
import type { Clock, SignatureVerifier, Signer } from '../domain/ports.ts'
import type { AppStore, CoordinatorPayments } from '../domain/storePorts.ts'
import type { MinerConfig } from '../miner/minerConfig.ts'
import type { MinerEventListener } from '../miner/minerEvents.ts'
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
  parameters: NetworkParameters
  /** default: block hashes on chain id 31337, drand elsewhere */
  randomness: RandomnessKind | undefined
  /** file to write; default: `networks/<network>.json` of the home */
  out: string | undefined
  transaction: TxOptions
}

/** Where a running miner can be asked, beside its control endpoint in the home. */
export interface MinerControl {
  /** health and metrics; null: nowhere */
  metricsListen: { host: string; port: number } | null
  /** called once it listens there */
  onMetrics(url: string): void
}

/**
 * What commands work with. Everything loads when it is first asked for: `status` never loads the engine, `run` never the chain.
 */
export interface Ports {
  clock: Clock
  accounts: Accounts
  /** name (null for a bare key) and address of the account in use, without any password. @throws CUCKOO_ACCOUNT_MISSING, CUCKOO_ACCOUNT_AMBIGUOUS, CUCKOO_ACCOUNT_UNKNOWN */
  getOwn(): Promise<{ name: string | null; address: Address }>
  /** the unlocked account in use; with `dryRun` one that only knows its address */
  getSigner(options?: { dryRun?: boolean }): Promise<Signer>
  /** another account of this home, unlocked */
  getNamedSigner(name: string, passwordFile?: string): Promise<Signer>
  /** password of an account that is made or opened: CUCKOO_PASSWORD, --password-file, --password-fd, else asked for (twice when it is new) */
  getPassword(name: string, isNew: boolean): Promise<string>
  getDeployment(): Promise<Deployment>
  getChain(): Promise<Chain>
  deploy(request: DeployRequest): Promise<{ deployment: Deployment; path: string | null; transaction: TxReport }>
  /** where juries' seeds are fetched: drand's relays, or the one that `beaconUrl` names */
  getBeacon(): Promise<Beacon>
  getVerifier(): Promise<SignatureVerifier>
  /** an operator's signature that it will run a node */
  signRegistration(operator: Signer, deployment: Deployment, fields: { owner: Address; role: Role; nonce: bigint; deadline: number }): Promise<Hex>
  createClient(options: { url: string; apiKey?: string; allowPrivate: boolean }): Promise<Client>
  openAppStore(coordinator: Address): Promise<AppStore>
  /** coordinators of this network that have a store here */
  listCoordinatorStores(): Promise<Address[]>
  /** what the miner `node` of this home holds for each coordinator, also while it runs; none: it never ran here */
  readPayments(node: Address): Promise<CoordinatorPayments[]>
  getEngine(): Promise<Engine>
  /** what measures, equips and suggests */
  getEngineTools(): Promise<EngineTools>
  /** models of the hub on this machine */
  getModelCache(): Promise<ModelCache>
  /** the devnet of this home while it runs */
  findDevnet(): Promise<DevnetState | undefined>
  serveCoordinator(node: Address, signer: Signer, config: CoordinatorConfig): Promise<ServingCoordinator>
  startMiner(node: Address, signer: Signer, config: MinerConfig, onEvent: MinerEventListener, control: MinerControl): Promise<RunningMiner>
  /** miners of this home and network that have a control endpoint; of one that was killed it may still be there */
  listMinerControls(): Promise<{ node: Address; client: ControlClient }[]>
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

import { weiPerCai } from '../domain/amount.ts'
import type { ChainReader, EpochWriter, PaymentWriter } from '../domain/chainPort.ts'
import type { MediaReader, Tokenizers } from '../domain/enginePort.ts'
import type { Address, Hash } from '../domain/hex.ts'
import type { Clock, SignatureVerifier, Signer } from '../domain/ports.ts'
import type { CoordinatorStore } from '../domain/storePorts.ts'
import type { ModelKind } from '../domain/taskKinds.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { CoordinatorMetrics } from '../telemetry/metrics.ts'

export interface CoordinatorConfig {
  host: string
  /** 0 takes a free one */
  port: number
  /** longest lease; a fast miner with a short task gets a shorter one, never under three heartbeats */
  leaseMs: number
  /** how often a miner renews the lease of a running task */
  heartbeatMs: number
  /** longest that a poll is held open */
  pollMs: number
  /** tasks that may wait for a miner; more are refused with 429 */
  maxQueued: number
  /** output tokens of a text when the app names no number */
  defaultMaxTokens: number
  /** price of one unit (the registry says what a unit of each kind is) in wei: by kind of model, and by model name where it differs */
  unitPriceWei: { kinds: Readonly<Record<ModelKind, bigint>>; models: Readonly<Record<string, bigint>> }
  /** where apps reach this coordinator, for links to media; null: the host that a request names */
  publicUrl: string | null
  /** `open` takes any well-formed manifest (devnet), `listed` those in `listedDigests` */
  acceptManifests: 'open' | 'listed'
  listedDigests: readonly Hash[]
  /** manifest that a model's name means here; a name that is not listed means the first manifest that could be served */
  pins: Readonly<Record<string, Hash>>
  /** tokenizers held open; manifests beyond are refused */
  maxModels: number
  nodeSet: { pollMs: number; confirmations: number; maxAgeMs: number }
  /** from issue to deadline of an assignment, at most a day: no lease is renewed beyond it */
  maxTaskMs: number
  /** line that is kept open for each miner with a session, raised within escrow when less than half of it is left; 0: lines are opened by hand */
  lineWei: bigint
  /** longest that an app's connection waits for its answer; the task goes on after it */
  requestTimeoutMs: number
  /** how long a drain waits for running tasks */
  graceMs: number
  /**
   * The store comes from a backup. What was signed after the backup is not in its journal, so its open tasks are cancelled: going
   * on with one could sign a second assignment for an attempt that has one.
   */
  restored: boolean
  /** how long content, output and media of a task stay after its end; its row and receipt stay for ever */
  keepMs: number
  /** bytes of media that one app may have here */
  appMediaBytes: number
  /** no medium is taken that would leave less of the disk: results need it */
  minFreeBytes: number
}

/**
 * Prices in wei that follow the work: 10^12 wei, a millionth CAI, for an output token, and for the others what about as many
 * tokens' time costs. A step over 256 × 256 pixels counts as 5, a second of speech or a megapixel as 10, ten characters as one.
 */
const defaultPrices: Readonly<Record<ModelKind, bigint>> = {
  text: 10n ** 12n,
  embedding: 10n ** 11n,
  image: 5n * 10n ** 12n,
  transcription: 10n ** 13n,
  speech: 10n ** 12n,
  translation: 10n ** 12n,
  summarization: 10n ** 11n,
  'text-classification': 10n ** 11n,
  'zero-shot-classification': 10n ** 11n,
  'token-classification': 10n ** 11n,
  'image-classification': 10n ** 13n,
  'object-detection': 10n ** 13n,
  captioning: 10n ** 13n,
  'depth-estimation': 10n ** 13n,
  'image-to-image': 10n ** 14n,
}

/** Values for everything but the address to listen on. */
export const defaultCoordinatorConfig: CoordinatorConfig = {
  host: '127.0.0.1',
  port: 0,
  leaseMs: 20_000,
  heartbeatMs: 2_000,
  pollMs: 25_000,
  maxQueued: 10_000,
  defaultMaxTokens: 256,
  unitPriceWei: { kinds: defaultPrices, models: {} },
  publicUrl: null,
  acceptManifests: 'open',
  listedDigests: [],
  pins: {},
  maxModels: 64,
  nodeSet: { pollMs: 2_000, confirmations: 0, maxAgeMs: 600_000 },
  maxTaskMs: 3_600_000,
  lineWei: 10n * weiPerCai,
  requestTimeoutMs: 600_000,
  graceMs: 20_000,
  restored: false,
  keepMs: 30 * 86_400_000,
  appMediaBytes: 2 ** 30,
  minFreeBytes: 512 * 2 ** 20,
}

/** Reading the chain, and what the operator sends by itself: draw epochs, and lines within escrow. */
export type CoordinatorChain = ChainReader & Pick<PaymentWriter, 'raiseLines'> & Pick<EpochWriter, 'commitEpoch' | 'revealEpoch' | 'turnEpoch'>

/** What the role is given: its identity, the adaptors behind the ports, and how it is configured. */
export interface CoordinatorPorts {
  /** this coordinator: its owner's address */
  node: Address
  /** its operator's key */
  signer: Signer
  verifier: SignatureVerifier
  chain: CoordinatorChain
  store: CoordinatorStore
  tokenizers: Tokenizers
  media: MediaReader
  clock: Clock
  logger: Logger
  metrics: CoordinatorMetrics
  /** of this cuckoo, shown at /healthz */
  version: string
  config: CoordinatorConfig
}

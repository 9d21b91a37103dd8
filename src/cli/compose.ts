import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ControlClient } from '../api/controlClient.ts'
import { getNetworkChoice } from '../config/networkChoice.ts'
import type { CoordinatorPorts } from '../coordinator/coordinatorPorts.ts'
import type { ServingCoordinator } from '../coordinator/serveCoordinator.ts'
import type { Chain, Deployment, TxReport } from '../domain/chainPort.ts'
import type { Engine } from '../domain/enginePort.ts'
import { type Address, addressPattern } from '../domain/hex.ts'
import type { SignatureVerifier, Signer } from '../domain/ports.ts'
import { rpcUrlMissing } from '../errors/chain.ts'
import { networkMismatch } from '../errors/config.ts'
import { internalError } from '../errors/internal.ts'
import type { ModelPlaces } from '../inference/prepareModel.ts'
import type { MinerDependencies, RunningMiner } from '../miner/startMiner.ts'
import { readTextFile } from './files.ts'
import type { ComposeOptions, DeployRequest, MinerControl, Ports } from './ports.ts'
import { getVersion } from './version.ts'

const clock = { nowMs: () => Date.now() }

/** The one chain on which block hashes may be the randomness (BlockhashRandomness's constructor). */
const devnetChainId = 31_337

/** Text of a stranger's tokenizer may be slow to encode, never endless. */
const tokenizerTimeoutMs = 5_000

export interface Adaptors {
  /** what a test that plays a dishonest miner puts around the engine */
  wrapEngine?: (engine: Engine) => Engine
}

/**
 * The composition root: ports over the real adaptors. The only place that names an adaptor, each behind an import() that runs
 * when it is first asked for.
 */
export function compose(options: ComposeOptions, { wrapEngine = (engine) => engine }: Adaptors = {}): Ports {
  const { config, prompts } = options
  const { home } = config.values
  const closers: (() => Promise<unknown>)[] = []
  const once = <T>(create: () => Promise<T>) => {
    let made: Promise<T> | undefined
    return () => {
      made ??= create()
      return made
    }
  }
  const unlockOptions = toUnlockOptions(options)
  const getDeployment = once(() => loadDeployment(options))
  const getChain = once(async () => createChain(await getDeployment(), options))
  const getModelPlaces = once(() => toModelPlaces(options))
  const getEngine = once(async () => {
    const { createEngine } = await import('../inference/createEngine.ts')
    const engine = createEngine({ ...(await getModelPlaces()), logger: await createLogger(options, 'engine') })
    closers.push(() => engine.dispose())
    return wrapEngine(engine)
  })
  const getAccounts = () => import('../chain/accounts.ts')
  const getVerifier = once(async () => (await import('../chain/signer.ts')).createSignatureVerifier())
  const toStore = async (role: 'coordinator' | 'miner', node: Address) => join(home, role, (await getDeployment()).network, node)
  const shared: Shared = { options, closers, getChain, getEngine, getVerifier, toStore }

  return {
    clock,
    accounts: {
      create: async (name, password) => (await getAccounts()).createAccount(home, name, password),
      import: async (name, keyText, password) => (await getAccounts()).importAccount(home, name, keyText, password),
      export: async (name, password) => (await getAccounts()).exportAccount(home, name, password),
      readKeystore: async (name) => (await getAccounts()).readAccount(home, name),
      list: async () => (await getAccounts()).listAccounts(home),
    },
    getOwn: async () => (await import('../chain/unlockAccount.ts')).getAccountInUse(unlockOptions),
    getSigner: async ({ dryRun = false } = {}) => {
      const { getAccountInUse, unlockAccount } = await import('../chain/unlockAccount.ts')
      return dryRun ? toPretendSigner((await getAccountInUse(unlockOptions)).address) : (await unlockAccount(unlockOptions)).signer
    },
    getNamedSigner: async (name, passwordFile) => {
      const { unlockAccount } = await import('../chain/unlockAccount.ts')
      const { privateKey: _, privateKeyFile: __, ...byPassword } = unlockOptions
      const own = passwordFile === undefined ? byPassword : { home, passwordFile }
      return (await unlockAccount({ ...own, name })).signer
    },
    getPassword: async (name, isNew) => {
      const { readPassword } = await import('../chain/readPassword.ts')
      return readPassword(
        isNew ? { ...unlockOptions, promptPassword: options.output.interactive ? () => prompts.askNewPassword(name) : undefined } : unlockOptions,
        name,
      )
    },
    getDeployment,
    getChain,
    deploy: (request) => deploy(request, options),
    getBeacon: async () => {
      const { beaconUrl } = config.values
      const { createDrandBeacon } = await import('../chain/beacon.ts')
      return createDrandBeacon(beaconUrl === undefined ? {} : { relayUrls: [beaconUrl.replace(/\/+$/, '')] })
    },
    getVerifier,
    signRegistration: async (operator, deployment, fields) => (await import('../chain/registration.ts')).signRegistration(operator, deployment, fields),
    createClient: async (clientOptions) => {
      const { createClient } = await import('../api/client.ts')
      const client = createClient({ ...clientOptions, timeoutMs: config.values.timeout })
      closers.push(() => client.close())
      return client
    },
    openAppStore: async (coordinator) => {
      const store = await (await import('../store/appStore.ts')).openAppStore({ directory: await toStore('coordinator', coordinator) })
      closers.push(() => store.close())
      return store
    },
    listCoordinatorStores: async () => {
      const names = await readdir(join(home, 'coordinator', (await getDeployment()).network)).catch((): string[] => [])
      return names.filter((name): name is Address => addressPattern.test(name))
    },
    readPayments: async (node) => (await import('../store/minerStore.ts')).readMinerPayments({ directory: await toStore('miner', node) }),
    getEngine,
    getEngineTools: async () =>
      (await import('../inference/createEngineTools.ts')).createEngineTools({ engine: await getEngine(), places: await getModelPlaces() }),
    getModelCache: once(async () => (await import('../inference/modelCache.ts')).createModelCache(await getModelPlaces())),
    findDevnet: async () => (await import('../devnet/devnetState.ts')).findDevnet(home),
    serveCoordinator: (node, signer, coordinatorConfig) => serveCoordinator(shared, { node, signer, config: coordinatorConfig }),
    startMiner: (node, signer, minerConfig, onEvent, control) => startMiner(shared, { node, signer, config: minerConfig, onEvent }, control),
    listMinerControls: async () => {
      const clients = await findMinerControls(join(home, 'miner', (await getDeployment()).network))
      closers.push(
        ...clients.map(
          ({ client }) =>
            () =>
              client.close(),
        ),
      )
      return clients
    },
    dispose: async () => {
      for (const close of closers.splice(0)) await close()
    },
  }
}

/** What both roles are made from. */
interface Shared {
  options: ComposeOptions
  closers: (() => Promise<unknown>)[]
  getChain(): Promise<Chain>
  getEngine(): Promise<Engine>
  getVerifier(): Promise<SignatureVerifier>
  toStore(role: 'coordinator' | 'miner', node: Address): Promise<string>
}

async function serveCoordinator(shared: Shared, role: Pick<CoordinatorPorts, 'node' | 'signer' | 'config'>): Promise<ServingCoordinator> {
  const [coordinator, { openCoordinatorStore }, { createTokenizers }, { createMediaReader }, { createCoordinatorMetrics }] = await Promise.all([
    import('../coordinator/serveCoordinator.ts'),
    import('../store/coordinatorStore.ts'),
    import('../inference/createTokenizers.ts'),
    import('../inference/media/createMediaReader.ts'),
    import('../telemetry/metrics.ts'),
  ])
  const [chain, verifier] = [await shared.getChain(), await shared.getVerifier()]
  const store = await openCoordinatorStore({ directory: await shared.toStore('coordinator', role.node) })
  const tokenizers = createTokenizers({ timeoutMs: tokenizerTimeoutMs })
  const media = createMediaReader()
  const [logger, metrics] = [await createLogger(shared.options, 'coordinator'), createCoordinatorMetrics()]
  try {
    // From here on the coordinator owns store and tokenizers, and closes them at its end.
    return await coordinator.serveCoordinator({ ...role, chain, verifier, store, tokenizers, media, clock, logger, metrics, version: getVersion() })
  } catch (error) {
    await tokenizers.dispose()
    await store.close()
    throw error
  }
}

async function startMiner(
  shared: Shared,
  role: Pick<MinerDependencies, 'node' | 'signer' | 'config' | 'onEvent'>,
  { metricsListen, onMetrics }: MinerControl,
): Promise<RunningMiner> {
  const [miner, { openMinerStore }, { createMinerMetrics }, { openControlServer }, { createControlHandlers }] = await Promise.all([
    import('../miner/startMiner.ts'),
    import('../store/minerStore.ts'),
    import('../telemetry/metrics.ts'),
    import('../miner/controlServer.ts'),
    import('../miner/controlHandlers.ts'),
  ])
  const [chain, verifier] = [await shared.getChain(), await shared.getVerifier()]
  const folder = await shared.toStore('miner', role.node)
  const store = await openMinerStore({ directory: folder })
  shared.closers.push(() => store.close())
  const [engine, logger, metrics] = [await shared.getEngine(), await createLogger(shared.options, 'miner'), createMinerMetrics()]
  let running: RunningMiner | null = null
  const handlers = createControlHandlers({ findMiner: () => running, metrics, version: getVersion(), network: chain.deployment.network })
  const control = await openControlServer({ folder, metricsListen, handlers, logger, clock })
  // Before the store: while it is open, the folder is ours.
  shared.closers.unshift(() => control.close())
  if (control.metricsUrl !== null) onMetrics(control.metricsUrl)
  running = await miner.startMiner({ ...role, chain, verifier, store, engine, clock, logger, metrics, signal: shared.options.signal })
  return running
}

/** Clients of the miners in `directory`, which has a folder per node. */
async function findMinerControls(directory: string): Promise<{ node: Address; client: ControlClient }[]> {
  const { controlPathFile, createControlClient } = await import('../api/controlClient.ts')
  const nodes = (await readdir(directory).catch((): string[] => [])).filter((name): name is Address => addressPattern.test(name))
  const found = await Promise.all(
    nodes.map(async (node) => {
      const path = await readFile(join(directory, node, controlPathFile), 'utf8').catch(() => null)
      return path === null ? [] : [{ node, client: createControlClient(path) }]
    }),
  )
  return found.flat()
}

/** Where models are, from the configuration; the token from the environment, else from its file. */
async function toModelPlaces({ config }: ComposeOptions): Promise<ModelPlaces> {
  const { home, modelsCache, modelsBudget, offline, hubUrl, hubToken, hubTokenFile } = config.values
  const token = hubToken ?? (hubTokenFile === undefined ? undefined : (await readTextFile(hubTokenFile)).trim())
  return {
    modelsDirectory: modelsCache ?? join(home, 'models'),
    allowedModelsFile: join(home, 'miner', 'allowed-manifests.json'),
    offline,
    hubUrl: hubUrl?.replace(/\/+$/, ''),
    hubToken: token === '' ? undefined : token,
    budgetBytes: modelsBudget,
  }
}

function toUnlockOptions({ config, output, prompts }: ComposeOptions) {
  const { home, account, privateKey, privateKeyFile, password, passwordFile, passwordFd } = config.values
  const instead = 'CUCKOO_PASSWORD, --password-file or --password-fd'
  const promptPassword = output.interactive ? (name: string) => prompts.askSecret(`Password of '${name}'`, instead) : undefined
  return { home, name: account, privateKey, privateKeyFile, password, passwordFile, passwordFd, promptPassword }
}

/** Knows its address and signs nothing: for dry runs, which need no password. */
function toPretendSigner(address: Address): Signer {
  return {
    address,
    sign: () => {
      throw internalError({ reason: 'a dry run tried to sign' })
    },
  }
}

async function loadDeployment({ config }: ComposeOptions): Promise<Deployment> {
  const { findDevnet } = await import('../devnet/devnetState.ts')
  const choice = getNetworkChoice(config, findDevnet(config.values.home) !== undefined)
  const chain = await import('../chain/deployment.ts')
  const deployment =
    choice.deployment === null ? await chain.getDeployment(config.values.home, choice.network ?? '') : await chain.loadDeployment(choice.deployment)
  if (choice.network !== null && choice.network !== deployment.network) {
    throw networkMismatch({ network: choice.network, found: deployment.network, deployment: choice.deployment ?? `networks/${choice.network}.json` })
  }
  return deployment
}

async function createChain(deployment: Deployment, { config }: ComposeOptions): Promise<Chain> {
  const { createChain: create } = await import('../chain/createChain.ts')
  const { rpcUrl } = config.values
  return create({ deployment, rpcUrls: rpcUrl === undefined ? undefined : [rpcUrl] })
}

async function createLogger({ config }: ComposeOptions, name: string) {
  return (await import('../telemetry/logger.ts')).createLogger({ level: config.values.logLevel, name })
}

async function deploy(request: DeployRequest, options: ComposeOptions): Promise<{ deployment: Deployment; path: string | null; transaction: TxReport }> {
  const { home, rpcUrl } = options.config.values
  const [{ deployContracts }, { getChainId }, { saveDeployment, toDeploymentPath }, { findNetwork }, { getAccountInUse, unlockAccount }] = await Promise.all([
    import('../chain/deployContracts.ts'),
    import('../chain/client.ts'),
    import('../chain/deployment.ts'),
    import('../chain/networks.ts'),
    import('../chain/unlockAccount.ts'),
  ])
  const { transaction: tx, network, parameters } = request
  const url = rpcUrl ?? findNetwork(network)?.rpcUrls[0]
  if (url === undefined) throw rpcUrlMissing({ network })
  const unlock = toUnlockOptions(options)
  const signer = tx.dryRun ? toPretendSigner((await getAccountInUse(unlock)).address) : (await unlockAccount(unlock)).signer
  const randomness = request.randomness ?? ((findNetwork(network)?.chainId ?? (await getChainId(url))) === devnetChainId ? 'blockhash' : 'drand')
  const { deployment, report } = await deployContracts({ signer, rpcUrl: url, network, parameters, randomness, ...tx })
  const path = request.out ?? toDeploymentPath(home, network)
  if (!report.dryRun) await saveDeployment(path, deployment)
  return { deployment, path: report.dryRun ? null : path, transaction: report }
}

import { type Client, createClient } from '../api/client.ts'
import { createSessionRequest, verifySessionAccept } from '../api/sessionHandshake.ts'
import { protocolVersion } from '../api/wire.ts'
import type { NodeSet } from '../domain/chainPort.ts'
import type { Address, Hash } from '../domain/hex.ts'
import type { NodeRecord } from '../domain/node.ts'
import type { SignedVoucher } from '../domain/payments.ts'
import type { Clock, SignatureVerifier, Signer } from '../domain/ports.ts'
import { signatureForeign } from '../errors/api.ts'
import { isError } from '../errors/cuckooError.ts'
import { minerCoordinatorImpostor, minerCoordinatorUnknown } from '../errors/miner.ts'
import { listTokenizerFiles } from './loadModels.ts'
import type { ModelShelf } from './modelShelf.ts'
import { type RefusedModel, toPlainRefused } from './plainReasons.ts'
import type { CoordinatorTarget } from './toCoordinatorTargets.ts'

/** What this miner brings to a handshake. */
export interface MinerIdentity {
  node: Address
  signer: Signer
  verifier: SignatureVerifier
  clock: Clock
  domainSeparator: Uint8Array
  shelf: ModelShelf
  slots: number
  /** coordinators that pay less per unit of a model have no tasks of it for us */
  minUnitPriceWei: bigint
  client: string
  allowPrivate: boolean
  /** the newest voucher that this miner holds of a coordinator */
  findVoucher(coordinator: Address): Promise<SignedVoucher | null>
}

/** An open session: requests over `client` are signed with its key. */
export interface CoordinatorSession {
  id: Hash
  url: string
  client: Client
  coordinator: Address
  /** the key that signed the coordinator's side */
  operator: Address
  heartbeatMs: number
  pollMs: number
  /** what a unit of the dearest model pays here, in wei; 0: all are free */
  unitPriceWei: bigint
  refused: RefusedModel[]
  /** aborts when the models that this miner offers are no longer those of the handshake */
  outdated: AbortSignal
}

/**
 * A session with the coordinator at `target`, opened by handshake: this miner proves its operator key, and whoever answers
 * proves to be the operator that the chain names. Tokenizer files that the coordinator lacks are handed in. A URL that no
 * profile names is asked who it is first.
 *
 * @throws CUCKOO_MINER_COORDINATOR_UNKNOWN when the chain has no such active coordinator
 * @throws CUCKOO_MINER_COORDINATOR_IMPOSTOR when the answer is not signed by its operator
 * @throws CUCKOO_SESSION_TAKEN, CUCKOO_SESSION_CLOCK_SKEWED, CUCKOO_MINER_NOT_ELIGIBLE and what else the coordinator answers
 * @throws CUCKOO_API_UNREACHABLE, CUCKOO_OUTBOUND_REFUSED when there is no connection
 */
export async function openCoordinatorSession(
  identity: MinerIdentity,
  target: CoordinatorTarget,
  getNodeSet: () => NodeSet,
  signal: AbortSignal,
): Promise<CoordinatorSession> {
  const { allowPrivate, signer, verifier, clock, domainSeparator } = identity
  const greeting = createClient({ url: target.url, allowPrivate })
  try {
    const coordinator = getActiveCoordinator(getNodeSet(), target.node ?? (await greeting.getReadiness({}, { signal })).coordinator, target.url)
    const pending = createSessionRequest({ node: identity.node, coordinator: coordinator.node, signer, domainSeparator, clock })
    const voucher = await identity.findVoucher(coordinator.node)
    const { outdated } = identity.shelf
    const body = { ...pending.request, ...describeMiner(identity), ...(voucher !== null && { voucher }) }
    const accept = await greeting.openSession({ body }, { signal })
    const operators = [coordinator.operator]
    const session = verifyAccept(() => verifySessionAccept({ pending, accept, operators, verifier, domainSeparator, clock }), target.url, coordinator)
    const client = createClient({ url: target.url, allowPrivate, session })
    const { heartbeatMs, pollMs, prices } = accept
    const unitPriceWei = prices.reduce((highest, price) => (price.unitPriceWei > highest ? price.unitPriceWei : highest), 0n)
    const refused = [...accept.refused]
    try {
      refused.push(...(await putWantedFiles(client, identity.shelf, accept.wanted, signal)))
    } catch (error) {
      await closeSession(client, AbortSignal.any([signal, AbortSignal.timeout(farewellMs)]))
      throw error
    }
    const { node, operator } = coordinator
    return {
      id: accept.sessionId,
      url: target.url,
      client,
      coordinator: node,
      operator,
      heartbeatMs,
      pollMs,
      unitPriceWei,
      refused: toPlainRefused(refused),
      outdated,
    }
  } finally {
    await greeting.close()
  }
}

/** For the farewell of a session that never worked. */
const farewellMs = 2_000

/** Says goodbye, so that leases still held go to others at once, and closes all connections. Never throws: a session that nobody hears of ends by silence. */
export async function closeSession(client: Client, signal: AbortSignal): Promise<void> {
  await client.closeSession({}, { signal }).catch(() => undefined)
  await client.close()
}

function getActiveCoordinator(set: NodeSet, node: Address, url: string): NodeRecord {
  const record = set.nodes.get(node)
  if (record === undefined) throw minerCoordinatorUnknown({ coordinator: url, reason: `the node ${node} is not registered` })
  if (record.role !== 'coordinator') throw minerCoordinatorUnknown({ coordinator: url, reason: `the node ${node} is registered as '${record.role}'` })
  if (!record.active) throw minerCoordinatorUnknown({ coordinator: url, reason: `the node ${node} is not active` })
  return record
}

function describeMiner({ client, slots, minUnitPriceWei, shelf }: MinerIdentity) {
  const offers = shelf.offered.map(({ manifest, device, unitsPerSecond }) => ({ manifest, device, unitsPerSecond }))
  return { protocolVersion, client, slots, minUnitPriceWei, models: offers }
}

function verifyAccept<T>(verify: () => T, url: string, coordinator: NodeRecord): T {
  try {
    return verify()
  } catch (error) {
    if (!isError(error, signatureForeign)) throw error
    throw minerCoordinatorImpostor({ url, coordinator: coordinator.node, operator: coordinator.operator }, { cause: error })
  }
}

async function putWantedFiles(client: Client, shelf: ModelShelf, wanted: readonly Hash[], signal: AbortSignal): Promise<RefusedModel[]> {
  const refused: RefusedModel[] = []
  const missing = new Set(wanted)
  for (const { manifest, manifestDigest } of shelf.offered) {
    for (const [hash, path] of listTokenizerFiles(manifest)) {
      if (!missing.delete(hash)) continue
      const body = await shelf.readFile(manifestDigest, path)
      refused.push(...(await client.putBlob({ params: { hash }, body }, { signal })).refused)
    }
  }
  return refused
}

import type { RouteInput, RouteOutput } from '../api/route.ts'
import type { Routes } from '../api/routes/routes.ts'
import { acceptSession } from '../api/sessionHandshake.ts'
import type { SessionRegistry } from '../api/sessionRegistry.ts'
import { protocolVersion } from '../api/wire.ts'
import type { Address } from '../domain/hex.ts'
import type { NodeRecord } from '../domain/node.ts'
import { draining, minerNotEligible, modelUnderpriced, sessionInvalid } from '../errors/api.ts'
import { listRefused, type Offer } from './catalogue.ts'
import type { Coordinator } from './coordinator.ts'
import { isPaidEnough, type MinerModel } from './miners.ts'
import { findRefusal } from './nodeStanding.ts'

type OpenSessionBody = RouteInput<Routes['openSession']>['body']

/**
 * The session of a miner that proved its operator key and is in good standing, with what became of its models.
 * @throws CUCKOO_SESSION_INVALID for another protocol version or another coordinator's address
 * @throws CUCKOO_MINER_NOT_ELIGIBLE when it is no active miner on chain
 * @throws CUCKOO_API_SIGNATURE_FOREIGN, CUCKOO_SESSION_CLOCK_SKEWED, CUCKOO_SESSION_TAKEN
 */
export async function openMinerSession(
  coordinator: Coordinator,
  sessions: SessionRegistry,
  body: OpenSessionBody,
): Promise<RouteOutput<Routes['openSession']>> {
  const { ports, miners, standing } = coordinator
  if (coordinator.isDraining) throw draining({})
  if (body.protocolVersion !== protocolVersion)
    throw sessionInvalid({ reason: `you speak protocol version ${body.protocolVersion}, this coordinator speaks ${protocolVersion}` })
  const record = await getEligible(coordinator, body.node)
  const { agreed, accept } = acceptSession({
    request: body,
    operators: [record.operator],
    coordinator: ports.node,
    signer: ports.signer,
    verifier: ports.verifier,
    domainSeparator: ports.chain.domainSeparator,
    clock: ports.clock,
  })
  const session = sessions.open(agreed)
  const miner = miners.open(session, body, standing.find(body.node) ?? record)
  const offered = await considerModels(coordinator, body)
  // Before any result of it is accepted in this run: what it was owed when the last run ended.
  await coordinator.vouchers.refresh(body.node)
  if (body.voucher !== undefined) await coordinator.vouchers.acknowledge(body.node, body.voucher)
  miners.setModels(miner, offered.models)
  void coordinator.lines.update()
  ports.logger.info(
    { node: body.node, client: body.client, slots: body.slots, models: offered.models.map((model) => model.manifest.model) },
    'a miner opened a session',
  )
  const { heartbeatMs, leaseMs, pollMs } = ports.config
  const prices = offered.models.map(({ digest, unitPriceWei }) => ({ manifest: digest, unitPriceWei }))
  return { ...accept, heartbeatMs, leaseMs, pollMs, wanted: offered.wanted, prices, refused: offered.refused }
}

async function getEligible(coordinator: Coordinator, node: Address): Promise<NodeRecord> {
  const { ports, standing } = coordinator
  const known = standing.find(node)
  if (known !== undefined && findRefusal(known, 'miner') === null) return known
  // The set may be behind: what the chain says now tells "not a miner" from "a miner since a moment ago".
  const refusal = findRefusal(await ports.chain.getNode(node), 'miner')
  if (refusal !== null) throw minerNotEligible({ node, reason: refusal })
  const record = await standing.waitFor(node, 'miner', 2 * ports.config.nodeSet.pollMs + 1_000)
  if (record !== undefined && findRefusal(record, 'miner') === null) return record
  throw minerNotEligible({ node, reason: 'its registration waits for confirmation on chain: try again in a moment' })
}

async function considerModels(
  coordinator: Coordinator,
  body: Pick<OpenSessionBody, 'models' | 'minUnitPriceWei'>,
): Promise<{ models: MinerModel[] } & Pick<RouteOutput<Routes['openSession']>, 'wanted' | 'refused'>> {
  const models: MinerModel[] = []
  const wanted = new Set<MinerModel['digest']>()
  const offers: Offer[] = []
  const { catalogue } = coordinator
  for (const { manifest: offered, unitsPerSecond } of body.models) {
    const offer = await catalogue.consider(offered)
    // One copy for all miners of a model.
    const manifest = offer.state === 'usable' ? catalogue.getManifest(offer.digest) : offered
    const model = { digest: offer.digest, manifest, unitsPerSecond, unitPriceWei: catalogue.toUnitPriceWei(manifest) }
    if (offer.state !== 'refused') models.push(model)
    if (offer.state === 'refused' || isPaidEnough(body, model)) offers.push(offer)
    else offers.push({ ...offer, state: 'refused', error: modelUnderpriced({ model: offer.model, minUnitPriceWei: body.minUnitPriceWei, ...model }) })
  }
  for (const offer of offers) {
    if (offer.state === 'wanted') for (const hash of offer.wanted) wanted.add(hash)
  }
  return { models, wanted: [...wanted], refused: listRefused(offers) }
}

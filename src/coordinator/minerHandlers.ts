import { setImmediate } from 'node:timers/promises'
import type { MinerHandlers } from '../api/handler.ts'
import type { RouteOutput } from '../api/route.ts'
import type { Routes } from '../api/routes/routes.ts'
import type { Session, SessionRegistry } from '../api/sessionRegistry.ts'
import { sha256 } from '../domain/canonical.ts'
import type { Hash } from '../domain/hex.ts'
import { blobInvalid, draining, leaseLost, minerNotEligible, sessionInvalid } from '../errors/api.ts'
import { listRefused, listTokenizerFiles } from './catalogue.ts'
import type { Coordinator } from './coordinator.ts'
import type { Dispatched, TaskMiner } from './dispatcher.ts'
import { openMinerSession } from './handshake.ts'
import { countDraws, explainEmptyPoll, waitForTask } from './polls.ts'
import { acceptResult } from './results.ts'
import { getInputMedia, takeOutputMedia } from './taskMedia.ts'

/** The miners' routes. */
export function createMinerHandlers(coordinator: Coordinator, sessions: SessionRegistry): MinerHandlers {
  const { attempts, contents, drawLog, vouchers, lines } = coordinator
  return {
    openSession: async ({ body }) => ({ body: await openMinerSession(coordinator, sessions, body) }),
    async closeSession(_, { session }) {
      sessions.close(session.id)
      return { body: {} }
    },
    putBlob: async ({ params, body }, { session }) => ({
      body: await takeTokenizerFile(coordinator, getMiner(coordinator, session), params.hash, body),
    }),
    async pollTask({ body }, { session, signal }) {
      const miner = getMiner(coordinator, session)
      if (miner.refusal !== null) throw minerNotEligible({ node: session.node, reason: miner.refusal })
      const empty = (reasons: string[]) => ({ body: { task: null, reasons, logHead: drawLog.head, voucher: vouchers.find(session.node) } })
      if (coordinator.isDraining) throw draining({})
      const drawsBefore = countDraws(coordinator, miner)
      const outcome = await waitForTask(coordinator, miner, Math.min(body.waitMs, coordinator.ports.config.pollMs), signal)
      if ('error' in outcome) throw outcome.error
      if ('reason' in outcome) return empty(outcome.reason === '' ? explainEmptyPoll(coordinator, miner, drawsBefore) : [outcome.reason])
      return { body: { task: await toWireTask(coordinator, outcome.task), reasons: [], logHead: drawLog.head, voucher: vouchers.find(session.node) } }
    },
    renewLease: async ({ params, body }, { session }) => ({ body: await attempts.renew(params.taskId, params.attempt, session.node, body.unitsDone) }),
    getTaskMedia: async ({ params }, { session }) => ({ body: await getInputMedia(coordinator, session, params) }),
    async putTaskMedia({ params, body }, { session }) {
      await takeOutputMedia(coordinator, session, params, body)
      return { body: {} }
    },
    async pushTokens({ params, body }, { session }) {
      const task = attempts.findHeld(params.taskId, params.attempt, session.node)
      if (task === undefined) {
        const { cancel } = await attempts.renew(params.taskId, params.attempt, session.node)
        return { body: { cancel } }
      }
      const content = await contents.get(task)
      const maxTokens = 'maxTokens' in content.params ? content.params.maxTokens : 0
      task.stream.push(params.attempt, body.offset, body.tokenIds, maxTokens)
      return { body: { cancel: false } }
    },
    async submitResult({ params, body }, { session }) {
      const { record, priceWei } = await acceptResult(coordinator, session, { ...params, ...body })
      // The app that waits for it is answered first.
      await setImmediate()
      if (priceWei > 0n) await vouchers.refresh(session.node)
      return { body: { accepted: true, priceWei, units: record.receipt?.result.units ?? body.result.units, voucher: vouchers.find(session.node) } }
    },
    async getVoucher(_, { session }) {
      const reason = lines.findProblem(session.node)
      return { body: { voucher: vouchers.find(session.node), owedWei: vouchers.getOwed(session.node), reasons: reason === null ? [] : [reason] } }
    },
    async failTask({ params, body }, { session }) {
      const task = attempts.findHeld(params.taskId, params.attempt, session.node)
      if (task === undefined) throw leaseLost(params)
      const { code, message, fatal } = body
      const ended = await (fatal ? attempts.failForGood(task, { code, message }) : attempts.fail(task, { code, message }))
      if (ended === null) throw leaseLost(params)
      return { body: {} }
    },
  }
}

function getMiner(coordinator: Coordinator, session: Session): TaskMiner {
  const miner = coordinator.miners.find(session)
  if (miner === undefined) throw sessionInvalid({ reason: 'it has ended' })
  return miner
}

async function toWireTask(coordinator: Coordinator, { task, signed, leaseMs }: Dispatched) {
  return {
    assignment: signed.assignment,
    signature: signed.signature,
    model: task.record.model,
    content: await coordinator.contents.get(task),
    stream: task.wantsStream,
    leaseMs,
  }
}

async function takeTokenizerFile(coordinator: Coordinator, miner: TaskMiner, hash: Hash, bytes: Uint8Array): Promise<RouteOutput<Routes['putBlob']>> {
  const { ports, catalogue, miners, dispatcher } = coordinator
  const found = sha256(bytes)
  const isNamed = miner.models.some(({ manifest }) => listTokenizerFiles(manifest).some((file) => file.sha256 === hash))
  if (found !== hash || !isNamed) throw blobInvalid({ expected: isNamed ? hash : 'a tokenizer file of your models', found })
  await ports.store.putBlob(bytes)
  const offers = await Promise.all(miner.models.map(({ manifest }) => catalogue.consider(manifest)))
  const kept = miner.models.filter(({ digest }) => offers.some((offer) => offer.digest === digest && offer.state !== 'refused'))
  if (kept.length < miner.models.length) miners.setModels(miner, kept)
  dispatcher.offer(miner)
  return { usable: offers.filter((offer) => offer.state === 'usable').map((offer) => offer.model), refused: listRefused(offers) }
}

import type { Handler } from '../api/handler.ts'
import type { MinerStatus } from '../api/minerStatus.ts'
import type { ControlRoutes } from '../api/routes/control.ts'
import { minerNotReady, minerStarting } from '../errors/control.ts'
import type { CuckooError } from '../errors/cuckooError.ts'
import type { MinerMetrics } from '../telemetry/metrics.ts'
import type { CoordinatorState, MinerState } from './minerState.ts'
import type { RunningMiner } from './startMiner.ts'

/** One handler for every control route. */
export type ControlHandlers = { readonly [K in keyof ControlRoutes]: Handler<ControlRoutes[K]> }

export interface ControlledMiner {
  /** null while it starts */
  findMiner(): RunningMiner | null
  metrics: MinerMetrics
  version: string
  network: string
}

/** What a miner answers at its control endpoint. */
export function createControlHandlers({ findMiner, metrics, version, network }: ControlledMiner): ControlHandlers {
  const getMiner = () => {
    const miner = findMiner()
    if (miner === null) throw minerStarting({})
    return miner
  }
  const answer = async () => ({ body: toMinerStatus(getMiner().state(), { version, network }) })
  return {
    getMinerHealth: async () => ({ body: { status: 'ok', version } }),
    getMinerReadiness: async () => ({ body: { status: 'ready', sessions: countSessions(getMiner().state()) } }),
    getMinerMetrics: async () => ({ body: await metrics.registry.metrics(), headers: { 'content-type': metrics.registry.contentType } }),
    getMinerStatus: answer,
    async pauseMiner({ body }) {
      getMiner().pause(body)
      return answer()
    },
    async resumeMiner() {
      getMiner().resume()
      return answer()
    },
    async drainMiner({ body }) {
      // It ends the process: the answer goes first, and what goes wrong is `done`'s to tell.
      void getMiner().drain(body)
      return answer()
    },
  }
}

/** @throws CUCKOO_CONTROL_MINER_NOT_READY */
function countSessions({ phase, coordinators }: MinerState): number {
  if (phase !== 'running') throw minerNotReady({ reason: `it is ${phase}` })
  const open = coordinators.filter(({ session }) => session === 'open').length
  if (open === 0) throw minerNotReady({ reason: 'no coordinator has a session with it' })
  return open
}

function toMinerStatus(state: MinerState, about: Pick<MinerStatus, 'version' | 'network'>): MinerStatus {
  const { lastError } = state
  return {
    ...state,
    ...about,
    pid: process.pid,
    lastError: lastError === null ? null : { atMs: lastError.atMs, error: toProblem(lastError.error) },
    coordinators: state.coordinators.map(toCoordinatorStatus),
  }
}

function toCoordinatorStatus(coordinator: CoordinatorState): MinerStatus['coordinators'][number] {
  return { ...coordinator, lastError: coordinator.lastError === null ? null : toProblem(coordinator.lastError) }
}

function toProblem({ code, message, hint }: CuckooError) {
  return { code, message, hint: hint ?? null }
}

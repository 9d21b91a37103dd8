import { z } from 'zod'
import { minerNotReady, minerStarting } from '../../errors/control.ts'
import { defineRoute } from '../defineRoute.ts'
import { zMinerStatus } from '../minerStatus.ts'

/** Of a miner with as many tasks and coordinators as it can have. */
const statusBytes = 16_777_216

/**
 * What a running miner answers on this machine: at the control endpoint in its home, which is a socket that only its own user
 * may open, and where `--metrics-listen` says. No coordinator has these routes.
 */
export const getMinerHealth = defineRoute({
  id: 'getMinerHealth',
  method: 'GET',
  path: '/healthz',
  auth: 'none',
  summary: 'The process lives.',
  response: z.object({ status: z.literal('ok'), version: z.string() }),
})
export const getMinerReadiness = defineRoute({
  id: 'getMinerReadiness',
  method: 'GET',
  path: '/readyz',
  auth: 'none',
  summary: 'Takes tasks: models loaded, not paused, a session with a coordinator.',
  response: z.object({ status: z.literal('ready'), sessions: z.int() }),
  errors: [minerStarting, minerNotReady],
})
export const getMinerMetrics = defineRoute({
  id: 'getMinerMetrics',
  method: 'GET',
  path: '/metrics',
  auth: 'none',
  maxResponseBytes: 16_777_216,
  summary: 'Metrics in Prometheus text format.',
  response: 'text',
})

export const getMinerStatus = defineRoute({
  id: 'getMinerStatus',
  method: 'GET',
  path: '/control/v1/status',
  auth: 'none',
  maxResponseBytes: statusBytes,
  summary: 'Everything about the running miner.',
  response: zMinerStatus,
  errors: [minerStarting],
})
export const pauseMiner = defineRoute({
  id: 'pauseMiner',
  method: 'POST',
  path: '/control/v1/pause',
  auth: 'none',
  maxResponseBytes: statusBytes,
  summary: 'Takes no more tasks until it is resumed; running ones end, then models leave the memory.',
  body: z.strictObject({ reason: z.string().min(1).max(200) }),
  response: zMinerStatus,
  errors: [minerStarting],
})
export const resumeMiner = defineRoute({
  id: 'resumeMiner',
  method: 'POST',
  path: '/control/v1/resume',
  auth: 'none',
  maxResponseBytes: statusBytes,
  summary: 'Takes tasks again.',
  response: zMinerStatus,
  errors: [minerStarting],
})
export const drainMiner = defineRoute({
  id: 'drainMiner',
  method: 'POST',
  path: '/control/v1/drain',
  auth: 'none',
  maxResponseBytes: statusBytes,
  summary: 'Takes no more tasks and ends when the running ones have ended, after `graceMs` at the latest. Answers at once.',
  body: z.strictObject({ graceMs: z.int().min(0).max(86_400_000) }),
  response: zMinerStatus,
  errors: [minerStarting],
})

/** For everyone who may reach the address of `--metrics-listen`: nothing here changes anything. */
export const operationRoutes = { getMinerHealth, getMinerReadiness, getMinerMetrics }
export const controlRoutes = { ...operationRoutes, getMinerStatus, pauseMiner, resumeMiner, drainMiner }
export type ControlRoutes = typeof controlRoutes
export type ControlRouteId = keyof ControlRoutes

import { z } from 'zod'
import * as errors from '../../errors/api.ts'
import { defineRoute } from '../defineRoute.ts'
import { zList } from '../list.ts'
import { zAddress } from '../wire.ts'

export const getHealth = defineRoute({
  id: 'getHealth',
  method: 'GET',
  path: '/healthz',
  auth: 'none',
  summary: 'The process lives.',
  response: z.object({ status: z.literal('ok'), version: z.string() }),
})
export const getReadiness = defineRoute({
  id: 'getReadiness',
  method: 'GET',
  path: '/readyz',
  auth: 'none',
  summary: 'Takes tasks: store open, chain read not long ago, bond in order.',
  response: z.object({
    status: z.literal('ready'),
    coordinator: zAddress,
    chainId: z.int(),
    nodeSetAgeMs: z.int(),
    miners: z.int(),
    models: zList(z.string(), 10_000),
  }),
  errors: [errors.notReady, errors.draining],
})
export const getMetrics = defineRoute({
  id: 'getMetrics',
  method: 'GET',
  path: '/metrics',
  auth: 'none',
  maxResponseBytes: 16_777_216,
  summary: 'Metrics in Prometheus text format.',
  response: 'text',
})
export const getOpenApi = defineRoute({
  id: 'getOpenApi',
  method: 'GET',
  path: '/openapi.json',
  auth: 'none',
  maxResponseBytes: 4_194_304,
  summary: 'This API as an OpenAPI 3.1 document.',
  response: z.unknown(),
})

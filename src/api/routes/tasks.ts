import { z } from 'zod'
import * as errors from '../../errors/api.ts'
import { defineRoute } from '../defineRoute.ts'
import { zAddress, zHash, zReceipt, zTaskContent, zTaskKind, zTaskOutput, zTaskState, zUint64, zWei } from '../wire.ts'

const taskParams = z.object({ id: zHash })

/** What an app asks for: the request as it thinks of it, tokenised by the coordinator. */
const taskRequest = z.strictObject({
  model: z.string().min(1).max(200),
  kind: zTaskKind,
  input: z.union([
    z.strictObject({
      messages: z
        .array(
          z.strictObject({
            role: z.enum(['system', 'user', 'assistant']),
            content: z.string(),
          }),
        )
        .min(1)
        .max(1000),
    }),
    z.strictObject({ prompt: z.string().min(1) }),
    z.strictObject({ texts: z.array(z.string().min(1)).min(1).max(2048) }),
  ]),
  params: z
    .strictObject({
      maxTokens: z.int().min(1).optional(),
      temperature: z.number().min(0).max(2).optional(),
      topP: z.number().gt(0).max(1).optional(),
      topK: z.int().min(0).max(1_000_000).optional(),
      stop: z.array(z.string().min(1).max(200)).max(4).optional(),
      date: z.iso.date().optional(),
      normalize: z.boolean().optional(),
    })
    .default({}),
  seed: zUint64.optional(),
  /** only this miner may run it: for testing one's own */
  miner: zAddress.optional(),
  dryRun: z.boolean().default(false),
})

const zTask = z
  .object({
    id: zHash,
    state: zTaskState,
    model: z.string(),
    manifest: zHash,
    kind: zTaskKind,
    attempt: z.int(),
    miner: zAddress.nullable(),
    createdAt: z.int().describe('unix seconds'),
    finishedAt: z.int().nullable(),
    unitPriceWei: zWei,
    maxPriceWei: zWei,
    priceWei: zWei.nullable(),
    failures: z.array(
      z.object({
        attempt: z.int(),
        miner: zAddress,
        code: z.string(),
        message: z.string(),
        at: z.int(),
      }),
    ),
    text: z.string().nullable().describe('of text tasks that are done, derived from the token ids'),
    output: zTaskOutput.nullable(),
    receipt: zReceipt.nullable(),
  })
  .meta({ id: 'Task' })

export const createTask = defineRoute({
  id: 'createTask',
  method: 'POST',
  path: '/v1/tasks',
  auth: 'app',
  maxBodyBytes: 4_194_304,
  summary: 'Submits a task of any kind and returns at once. `dryRun` answers the price and whether any miner can run it.',
  query: z.object({
    waitMs: z.coerce.number().int().min(0).max(600_000).default(0),
  }),
  body: taskRequest,
  response: z.object({
    task: zTask.nullable().describe('null on a dry run'),
    inputTokens: z.int(),
    maxPriceWei: zWei,
    unitPriceWei: zWei,
    miners: z.int().describe('miners here that can run it'),
  }),
  errors: [
    errors.modelUnknown,
    errors.modelKindMismatch,
    errors.chatTemplateMissing,
    errors.noMinerAvailable,
    errors.promptTooLong,
    errors.queueFull,
    errors.draining,
    errors.idempotencyConflict,
  ],
})

export const getTask = defineRoute({
  id: 'getTask',
  method: 'GET',
  path: '/v1/tasks/:id',
  auth: 'app',
  params: taskParams,
  summary: 'The task with its state, failures, output and receipt.',
  query: z.object({
    waitMs: z.coerce.number().int().min(0).max(600_000).default(0).describe('wait until it has ended, at most this long'),
  }),
  response: zTask,
  errors: [errors.taskUnknown],
})

export const watchTask = defineRoute({
  id: 'watchTask',
  method: 'GET',
  path: '/v1/tasks/:id/events',
  auth: 'app',
  params: taskParams,
  summary: 'Server-sent events: the text so far, then each piece and each change of state, until the task has ended.',
  response: z.object({}),
  events: z.discriminatedUnion('type', [
    z.object({ type: z.literal('state'), task: zTask }),
    z.object({ type: z.literal('text'), attempt: z.int(), text: z.string() }),
  ]),
  errors: [errors.taskUnknown],
})

export const cancelTask = defineRoute({
  id: 'cancelTask',
  method: 'POST',
  path: '/v1/tasks/:id/cancel',
  auth: 'app',
  params: taskParams,
  summary: 'Cancels a task that has not ended.',
  response: zTask,
  errors: [errors.taskUnknown],
})

export const getReceipt = defineRoute({
  id: 'getReceipt',
  method: 'GET',
  path: '/v1/tasks/:id/receipt',
  auth: 'app',
  params: taskParams,
  summary: 'The receipt signed by both sides, with the content its hashes cover: everything needed to check it.',
  response: z.object({
    receipt: zReceipt,
    content: zTaskContent,
    output: zTaskOutput,
    chainId: z.int(),
    stakingContract: zAddress,
  }),
  errors: [errors.taskUnknown, errors.taskNotDone],
})

export const getManifest = defineRoute({
  id: 'getManifest',
  method: 'GET',
  path: '/v1/manifests/:digest',
  auth: 'none',
  params: z.object({ digest: zHash }),
  summary: 'The manifest with this digest: every file with its hash.',
  response: z.unknown(),
  errors: [errors.modelUnknown],
})

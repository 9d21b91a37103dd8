import { z } from 'zod'
import * as errors from '../../errors/api.ts'
import { defineRoute, outputAnswerBytes } from '../defineRoute.ts'
import { zTaskContent, zTaskOutput } from '../kindSchemas.ts'
import { zList } from '../list.ts'
import { zTaskRequest } from '../requestSchemas.ts'
import { zAddress, zHash, zReceipt, zTaskKind, zTaskState, zWei } from '../wire.ts'

const taskParams = z.object({ id: zHash })

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
    failures: zList(
      z.object({
        attempt: z.int(),
        miner: zAddress,
        code: z.string(),
        message: z.string(),
        at: z.int(),
      }),
      1_000,
    ),
    text: z.string().nullable().describe('of tasks that are done and answer with a text; of chats and completions derived from the token ids'),
    output: zTaskOutput.nullable(),
    receipt: zReceipt.nullable(),
  })
  .meta({ id: 'Task' })

export const createTask = defineRoute({
  id: 'createTask',
  method: 'POST',
  path: '/v1/tasks',
  auth: 'app',
  maxResponseBytes: outputAnswerBytes,
  // media of up to 6 MB as data: URLs; larger ones are uploaded
  maxBodyBytes: 8_388_608,
  summary: 'Submits a task of any kind and returns at once. `dryRun` answers the price and whether any miner can run it.',
  query: z.object({
    waitMs: z.coerce.number().int().min(0).max(600_000).default(0),
  }),
  body: zTaskRequest,
  response: z.object({
    task: zTask.nullable().describe('null on a dry run'),
    inputTokens: z.int().describe('0 of kinds that the coordinator does not tokenise'),
    unit: z.string().describe('what the price is for'),
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
    errors.parameterUnsupported,
    errors.mediaAbsent,
    errors.mediaUrlRefused,
    errors.mediaBytesExceeded,
    errors.mediaQuotaExceeded,
    errors.storageLow,
    errors.queueFull,
    errors.draining,
    errors.idempotencyConflict,
    errors.contentDeleted,
  ],
})

export const getTask = defineRoute({
  id: 'getTask',
  method: 'GET',
  path: '/v1/tasks/:id',
  auth: 'app',
  maxResponseBytes: outputAnswerBytes,
  params: taskParams,
  summary: 'The task with its state, failures, output and receipt.',
  query: z.object({
    waitMs: z.coerce.number().int().min(0).max(600_000).default(0).describe('wait until it has ended, at most this long'),
  }),
  response: zTask,
  errors: [errors.taskUnknown, errors.contentDeleted],
})

export const watchTask = defineRoute({
  id: 'watchTask',
  method: 'GET',
  path: '/v1/tasks/:id/events',
  auth: 'app',
  maxResponseBytes: outputAnswerBytes,
  params: taskParams,
  summary: 'Server-sent events: the text so far, then each piece, progress and each change of state, until the task has ended.',
  response: z.object({}),
  events: z.discriminatedUnion('type', [
    z.object({ type: z.literal('state'), task: zTask }),
    z.object({ type: z.literal('text'), attempt: z.int(), text: z.string() }),
    z
      .object({ type: z.literal('progress'), attempt: z.int(), done: z.int(), total: z.int() })
      .describe('paid units that the miner has done, of those the task has'),
  ]),
  errors: [errors.taskUnknown, errors.contentDeleted],
})

export const cancelTask = defineRoute({
  id: 'cancelTask',
  method: 'POST',
  path: '/v1/tasks/:id/cancel',
  auth: 'app',
  maxResponseBytes: outputAnswerBytes,
  params: taskParams,
  summary: 'Cancels a task that has not ended.',
  response: zTask,
  errors: [errors.taskUnknown, errors.contentDeleted],
})

export const getReceipt = defineRoute({
  id: 'getReceipt',
  method: 'GET',
  path: '/v1/tasks/:id/receipt',
  auth: 'app',
  maxResponseBytes: outputAnswerBytes,
  params: taskParams,
  summary: 'The receipt signed by both sides, with the content its hashes cover: everything needed to check it.',
  response: z.object({
    receipt: zReceipt,
    content: zTaskContent,
    output: zTaskOutput,
    chainId: z.int(),
    stakingContract: zAddress,
  }),
  errors: [errors.taskUnknown, errors.taskNotDone, errors.contentDeleted],
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

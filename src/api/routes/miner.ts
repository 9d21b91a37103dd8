import { z } from 'zod'
import { carriedLimits, outputLimits, taskKindTraits } from '../../domain/taskKinds.ts'
import * as errors from '../../errors/api.ts'
import { defineRoute } from '../defineRoute.ts'
import { zTaskContent, zTaskOutput } from '../kindSchemas.ts'
import { zList } from '../list.ts'
import { zAddress, zAssignment, zBytes, zHash, zManifest, zModelName, zResult, zSeconds, zSignature, zSignedVoucher, zUint64, zWei } from '../wire.ts'

const attemptParams = z.object({
  taskId: zHash,
  attempt: z.coerce.number().int().min(1),
})

const mediumParams = attemptParams.extend({ hash: zHash })

/** Answers that miners read without having asked for much: any coordinator on chain may give them. */
const smallAnswerBytes = 65_536
/** One task of the largest kind: 2^20 token ids of up to ten digits are 11 MiB (see `maxInputTokens`), texts and labels far less. */
const taskAnswerBytes = 12 * 2 ** 20

const maxModels = 64
/** A timer that is set to more fires at once. */
const zDurationMs = z
  .int()
  .min(0)
  .max(2 ** 31 - 1)
const zReasons = zList(z.string().max(10_000), 100)
const zRefused = zList(z.object({ model: z.string().max(200), code: z.string().max(100), message: z.string().max(10_000) }), maxModels).describe(
  'models that this miner will get no tasks for, with the reason',
)

const zNewestVoucher = zSignedVoucher.nullable().describe('over all that is owed to this miner, as far as its line lets it redeem; null: nothing to redeem yet')

export const openSession = defineRoute({
  id: 'openSession',
  method: 'POST',
  path: '/miner/v1/session',
  auth: 'none',
  maxResponseBytes: 1_048_576,
  maxBodyBytes: 4_194_304,
  summary: 'Handshake: the miner proves its operator key (EIP-712 Session), both sides agree on a key by X25519, and the miner says what it runs.',
  body: z.strictObject({
    protocolVersion: z.int(),
    node: zAddress,
    coordinator: zAddress,
    publicKey: zHash,
    issuedAt: zSeconds,
    nonce: zHash,
    signature: zSignature,
    client: z.string().max(100),
    slots: z.int().min(1).max(64),
    minUnitPriceWei: zWei.describe('tasks that pay less per unit never come to this miner'),
    voucher: zSignedVoucher.optional().describe('the newest that the miner holds: it reminds a coordinator that was restored from a backup'),
    models: zList(
      z.strictObject({
        manifest: zManifest,
        device: z.string().max(20),
        unitsPerSecond: z.number().min(0).describe('measured at warm-up, 0: unknown; sizes the lease'),
      }),
      maxModels,
    ),
  }),
  response: z.object({
    sessionId: zHash,
    coordinator: zAddress,
    publicKey: zHash,
    signature: zSignature.describe('EIP-712 SessionAccept by the coordinator’s operator'),
    serverTime: zSeconds,
    heartbeatMs: zDurationMs,
    leaseMs: zDurationMs,
    pollMs: zDurationMs,
    wanted: zList(zHash, 6_400).describe('tokenizer files the coordinator lacks: PUT them to /miner/v1/blobs'),
    prices: zList(z.object({ manifest: zHash, unitPriceWei: zWei }), maxModels).describe('what a unit of each model that was not refused pays'),
    refused: zRefused,
  }),
  errors: [errors.clockSkewed, errors.signatureForeign, errors.minerNotEligible, errors.sessionTaken, errors.sessionInvalid, errors.draining],
})

export const closeSession = defineRoute({
  id: 'closeSession',
  method: 'DELETE',
  path: '/miner/v1/session',
  auth: 'session',
  maxResponseBytes: smallAnswerBytes,
  summary: 'Ends the session; leases it still holds are given to others at once.',
  response: z.object({}),
})

export const putBlob = defineRoute({
  id: 'putBlob',
  method: 'PUT',
  path: '/miner/v1/blobs/:hash',
  auth: 'session',
  maxResponseBytes: 1_048_576,
  params: z.object({ hash: zHash }),
  body: 'bytes',
  maxBodyBytes: 33_554_432,
  summary: 'Hands in a tokenizer file that a manifest of this session names.',
  response: z.object({
    usable: zList(z.string().max(200), maxModels).describe('models of the session that can be served now'),
    refused: zRefused,
  }),
  errors: [errors.blobInvalid],
})

export const pollTask = defineRoute({
  id: 'pollTask',
  method: 'POST',
  path: '/miner/v1/poll',
  auth: 'session',
  maxResponseBytes: taskAnswerBytes,
  summary: 'Waits for a task for one free slot. An empty answer says why.',
  body: z.strictObject({
    free: z.int().min(1).max(64),
    waitMs: z.int().min(0).max(60_000),
  }),
  response: z.object({
    task: z
      .object({
        assignment: zAssignment,
        signature: zSignature,
        model: zModelName,
        content: zTaskContent,
        stream: z.boolean().describe('an app is reading along: send chunks'),
        leaseMs: zDurationMs,
      })
      .nullable(),
    reasons: zReasons.describe('why there was nothing, in words'),
    logHead: zHash.describe('head of the draw log'),
    voucher: zNewestVoucher,
  }),
  errors: [errors.minerNotEligible, errors.draining],
})

export const renewLease = defineRoute({
  id: 'renewLease',
  method: 'POST',
  path: '/miner/v1/tasks/:taskId/:attempt/heartbeat',
  auth: 'session',
  maxResponseBytes: smallAnswerBytes,
  params: attemptParams,
  summary: 'Keeps the lease. `cancel` means that nobody wants the result any more.',
  body: z.strictObject({ unitsDone: z.int().min(0).describe('paid units so far; apps that watch the task see them') }),
  response: z.object({ leaseMs: zDurationMs, cancel: z.boolean() }),
  errors: [errors.leaseLost],
})

export const getTaskMedia = defineRoute({
  id: 'getTaskMedia',
  method: 'GET',
  path: '/miner/v1/tasks/:taskId/:attempt/media/:hash',
  auth: 'session',
  maxResponseBytes: taskKindTraits.transcription.limits.maxMediaBytes,
  params: mediumParams,
  summary: 'A medium that the content of a task names, while the miner holds the task.',
  response: 'bytes',
  errors: [errors.leaseLost, errors.mediaAbsent, errors.downloadsFull],
})

export const putTaskMedia = defineRoute({
  id: 'putTaskMedia',
  method: 'PUT',
  path: '/miner/v1/tasks/:taskId/:attempt/media/:hash',
  auth: 'session',
  maxResponseBytes: smallAnswerBytes,
  params: mediumParams,
  body: 'bytes',
  maxBodyBytes: outputLimits.maxMediaBytes,
  summary: 'Hands in a medium that the output of a task names, before the result is submitted. Sent again, it changes nothing.',
  response: z.object({}),
  errors: [errors.leaseLost, errors.resultInvalid],
})

export const pushTokens = defineRoute({
  id: 'pushTokens',
  method: 'POST',
  path: '/miner/v1/tasks/:taskId/:attempt/chunks',
  auth: 'session',
  maxResponseBytes: smallAnswerBytes,
  params: attemptParams,
  summary: 'Token ids as they are made, from `offset` on; they must be a prefix of the signed result.',
  body: z.strictObject({
    offset: z.int().min(0),
    tokenIds: zList(z.int().min(0), 4096).min(1),
  }),
  response: z.object({ cancel: z.boolean() }),
  errors: [errors.leaseLost, errors.resultInvalid],
})

export const submitResult = defineRoute({
  id: 'submitResult',
  method: 'POST',
  path: '/miner/v1/tasks/:taskId/:attempt/result',
  auth: 'session',
  maxResponseBytes: smallAnswerBytes,
  params: attemptParams,
  maxBodyBytes: 16_777_216,
  summary: 'The signed result. Sent again, it gets the same answer and counts once.',
  body: z.strictObject({
    result: zResult,
    signature: zSignature,
    output: zTaskOutput,
    media: zList(zBytes(carriedLimits.maxMediaBytes), carriedLimits.maxMedia).optional().describe('small media that the output names, instead of putTaskMedia'),
  }),
  response: z.object({
    accepted: z.literal(true),
    priceWei: zWei,
    units: zUint64,
    voucher: zNewestVoucher,
  }),
  errors: [errors.leaseLost, errors.resultInvalid, errors.resultMediumAbsent, errors.signatureForeign],
})

export const getVoucher = defineRoute({
  id: 'getVoucher',
  method: 'GET',
  path: '/miner/v1/voucher',
  auth: 'session',
  maxResponseBytes: 1_048_576,
  summary: 'The newest voucher, for a miner that stopped working because it was not paid, or its line is used up.',
  response: z.object({
    voucher: zNewestVoucher,
    owedWei: zWei.describe('prices of all results of this miner that were accepted here'),
    reasons: zReasons.describe('why the voucher does not cover all that is owed, or the line lets nothing more be earned'),
  }),
})

export const failTask = defineRoute({
  id: 'failTask',
  method: 'POST',
  path: '/miner/v1/tasks/:taskId/:attempt/fail',
  auth: 'session',
  maxResponseBytes: smallAnswerBytes,
  params: attemptParams,
  summary: 'Gives the task back with the reason.',
  body: z.strictObject({
    code: z.string().max(100),
    message: z.string().max(1000),
    fatal: z.boolean().describe('no miner could do it: the request itself is at fault'),
  }),
  response: z.object({}),
  errors: [errors.leaseLost],
})

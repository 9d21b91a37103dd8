import { z } from 'zod'
import { type Address, addressPattern, type Hash, type Hex, hashPattern } from '../domain/hex.ts'
import { dtypes, type ImageTraits, type Manifest } from '../domain/manifest.ts'
import type { SignedVoucher } from '../domain/payments.ts'
import type { Receipt } from '../domain/receipt.ts'
import { imageSchedulers, taskStates } from '../domain/task.ts'
import { modelKinds, outputLimits, taskKinds } from '../domain/taskKinds.ts'
import { zList } from './list.ts'

/** Rises when the miner's wire changes in a way that an older peer cannot follow. */
export const protocolVersion = 1

/** Wire forms: lower-case 0x hex, decimal strings for wei and uint64, unix seconds, base64 little-endian float32. */
export const zAddress = z.string().regex(addressPattern, 'must be 20 bytes as lower-case 0x hex') as unknown as z.ZodType<Address, string>
export const zHash = z.string().regex(hashPattern, 'must be 32 bytes as lower-case 0x hex') as unknown as z.ZodType<Hash, string>
export const zSignature = z.string().regex(/^0x[0-9a-f]{130}$/, 'must be a 65-byte signature as lower-case 0x hex') as unknown as z.ZodType<Hex, string>
export const zSeconds = z.int().min(0)

function integerCodec(bits: number) {
  return z.codec(z.string().regex(/^(?:0|[1-9]\d{0,77})$/, `must be an integer of at most ${bits} bits as a decimal string`), z.bigint(), {
    decode: (text, context) => {
      const value = BigInt(text)
      if (value >> BigInt(bits) !== 0n) {
        context.issues.push({
          code: 'custom',
          message: `does not fit ${bits} bits`,
          input: text,
        })
        return z.NEVER
      }
      return value
    },
    encode: (value) => value.toString(),
  })
}
export const zUint64 = integerCodec(64)
export const zWei = integerCodec(128)

/** Up to `maxBytes` bytes as base64. */
export function zBytes(maxBytes: number) {
  return z.codec(
    z.string().max(4 * Math.ceil(maxBytes / 3)),
    z.custom<Uint8Array>((value) => value instanceof Uint8Array),
    {
      decode: (text, context) => {
        const bytes = Buffer.from(text, 'base64')
        if (bytes.length <= maxBytes && bytes.toString('base64') === text) return bytes
        context.issues.push({ code: 'custom', message: `must be at most ${maxBytes} bytes as base64`, input: text.slice(0, 20) })
        return z.NEVER
      },
      encode: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'),
    },
  )
}

export const zTaskKind = z.enum(taskKinds)
/** `owner/model`, or one word: neither paths nor escapes. */
export const zModelName = z
  .string()
  .max(200, 'is longer than 200 characters')
  .regex(/^[A-Za-z0-9][\w.:-]*(?:\/[A-Za-z0-9][\w.:-]*)*$/, "must be like 'owner/model'")
export const zModelKind = z.enum(modelKinds)
export const zTaskState = z.enum(taskStates)

const zPixels = z.int().min(1).max(16_384)
export const zImageTraits = z
  .strictObject({
    sizeStep: zPixels,
    maxPixels: z.int().min(1).max(outputLimits.maxPixels),
    maxSteps: z.int().min(1).max(1_000),
    width: zPixels,
    height: zPixels,
    steps: z.int().min(1).max(1_000),
    guidance: z.number().min(1).max(30),
    scheduler: z.enum(imageSchedulers),
    schedulers: zList(z.enum(imageSchedulers), imageSchedulers.length).min(1),
  })
  .meta({ id: 'ImageTraits' }) satisfies z.ZodType<ImageTraits>

export const zManifest: z.ZodType<Manifest> = z
  .strictObject({
    version: z.literal(1),
    model: z.string().min(1).max(200),
    revision: z
      .string()
      .regex(/^[0-9a-f]{40}$/)
      .nullable(),
    kind: zModelKind,
    dtype: z.enum(dtypes),
    files: zList(
      z.strictObject({
        path: z.string().min(1).max(200),
        bytes: z.int().min(0),
        sha256: zHash as unknown as z.ZodType<Hash>,
      }),
      100,
    ).min(1),
    limits: z.strictObject({
      contextTokens: z.int().min(1).max(1_048_576),
      maxOutputTokens: z.int().min(0).max(1_048_576),
      maxBatch: z.int().min(1).max(2048),
    }),
    image: zImageTraits.optional(),
    chatTemplate: z.boolean(),
    eosTokenIds: zList(z.int().min(0), 16),
    pooling: z.enum(['mean', 'cls', 'last']).nullable(),
    proof: z.literal('none'),
  })
  .meta({ id: 'Manifest' }) as unknown as z.ZodType<Manifest>

export const zAssignment = z
  .strictObject({
    taskId: zHash,
    attempt: z
      .int()
      .min(1)
      .max(2 ** 32 - 1),
    coordinator: zAddress,
    miner: zAddress,
    manifest: zHash,
    inputHash: zHash,
    paramsHash: zHash,
    seed: zUint64,
    unitPriceWei: zWei,
    maxPriceWei: zWei,
    issuedAt: zUint64,
    deadline: zUint64,
    drawRef: zHash,
  })
  .meta({ id: 'Assignment' })
export const zResult = z
  .strictObject({
    assignment: zHash,
    outputHash: zHash,
    units: zUint64,
    finishReason: z.int().min(0).max(255),
  })
  .meta({ id: 'Result' })
export const zReceipt = z
  .strictObject({
    assignment: zAssignment,
    assignmentSignature: zSignature,
    result: zResult,
    resultSignature: zSignature,
  })
  .meta({ id: 'Receipt' }) satisfies z.ZodType<Receipt>

export const zSignedVoucher = z
  .strictObject({
    voucher: z.strictObject({ coordinator: zAddress, miner: zAddress, cumulativeWei: zWei, issuedAt: zUint64 }).meta({ id: 'Voucher' }),
    signature: zSignature,
  })
  .meta({ id: 'SignedVoucher' }) satisfies z.ZodType<SignedVoucher>

/** Every error on the wire: OpenAI's shape with our stable code. */
export const zError = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable(),
    code: z.string(),
    hint: z.string().optional(),
  }),
})

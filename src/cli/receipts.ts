import { z } from 'zod'
import { getReceipt } from '../api/routes/tasks.ts'
import { zAssignment, zReceipt, zSignature } from '../api/wire.ts'
import { hashPattern } from '../domain/hex.ts'
import type { Receipt, SignedAssignment } from '../domain/receipt.ts'
import { receiptUnreadable } from '../errors/cli.ts'
import { clientOptions, createAppClient } from './appClient.ts'
import type { Context } from './context.ts'
import { readTextFile } from './files.ts'

export const receiptArgs = {
  receipt: z.string().describe('id of the task, or a file that `receipt show --save` wrote').meta({ placeholder: 'taskId|file' }),
}
export const receiptOptions = clientOptions

/** A receipt with all that its hashes cover: what the coordinator hands out, and what a file keeps. */
export const zReceiptBundle = getReceipt.response
export type ReceiptBundle = z.output<typeof zReceiptBundle>

const zSignedAssignment = z.object({ assignment: zAssignment, assignmentSignature: zSignature })

interface Source {
  coordinator?: string | undefined
  apiKeyFile?: string | undefined
}

/**
 * The receipt of a task from the coordinator, or from a file.
 * @throws CUCKOO_CLI_RECEIPT_UNREADABLE when the file holds something else, CUCKOO_CLI_FILE_UNREADABLE, and the coordinator's own errors
 */
export async function loadReceipt(context: Context<never>, named: string, options: Source): Promise<ReceiptBundle> {
  return isTaskId(named) ? fetchBundle(context, named, options) : parse(named, zReceiptBundle, await readJson(named))
}

/**
 * What both sides signed, with the content behind it where the file has that (null: the bare receipt), from the coordinator or a file.
 * @throws as {@link loadReceipt}
 */
export async function loadBareReceipt(
  context: Context<never>,
  named: string,
  options: Source,
): Promise<{ receipt: Receipt; content: Pick<ReceiptBundle, 'content' | 'output'> | null }> {
  if (isTaskId(named)) {
    const bundle = await fetchBundle(context, named, options)
    return { receipt: bundle.receipt, content: bundle }
  }
  const value = await readJson(named)
  if (!isObject(value) || !('receipt' in value)) return { receipt: parse(named, zReceipt, value), content: null }
  const bundle = parse(named, zReceiptBundle, value)
  return { receipt: bundle.receipt, content: bundle }
}

/**
 * The coordinator's half of a receipt: of a receipt, or alone where no result was ever made.
 * @throws as {@link loadReceipt}
 */
export async function loadSignedAssignment(context: Context<never>, named: string, options: Source): Promise<SignedAssignment> {
  if (isTaskId(named)) return (await fetchBundle(context, named, options)).receipt
  const value = await readJson(named)
  return parse(named, zSignedAssignment, isObject(value) && 'receipt' in value ? value['receipt'] : value)
}

/** A receipt with its content as text for a file, the form that {@link loadReceipt} reads. */
export function formatBundle(bundle: ReceiptBundle): string {
  return `${JSON.stringify(z.encode(zReceiptBundle, bundle), null, 2)}\n`
}

/** True for a task id. @throws CUCKOO_CLI_RECEIPT_UNREADABLE for one of another length */
function isTaskId(named: string): boolean {
  const id = named.toLowerCase()
  if (hashPattern.test(id)) return true
  if (/^0x[0-9a-f]*$/.test(id)) throw receiptUnreadable({ source: named, problem: `a task id has 64 digits after 0x, not ${id.length - 2}` })
  return false
}

async function fetchBundle(context: Context<never>, id: string, options: Source): Promise<ReceiptBundle> {
  const { client } = await createAppClient(context, options)
  return client.getReceipt({ params: { id: id.toLowerCase() as `0x${string}` } }, { signal: context.signal })
}

async function readJson(path: string): Promise<unknown> {
  const text = await readTextFile(path)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw receiptUnreadable({ source: path, problem: 'it is not JSON' }, { cause })
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function parse<T>(source: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw receiptUnreadable({ source, problem: `${issue?.path.join('.') || 'the file'}: ${issue?.message}` }, { cause: parsed.error })
}

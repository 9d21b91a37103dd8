import { z } from 'zod'
import { getReceipt } from '../api/routes/tasks.ts'
import { hashPattern } from '../domain/hex.ts'
import { receiptUnreadable } from '../errors/cli.ts'
import { clientOptions, createAppClient } from './appClient.ts'
import type { Context } from './context.ts'
import { readTextFile } from './files.ts'

export const receiptArgs = { receipt: z.string().describe('id of the task, or a file that `receipt show --json` wrote').meta({ placeholder: 'taskId|file' }) }
export const receiptOptions = clientOptions

/** A receipt with all that its hashes cover: what the coordinator hands out, and what a file keeps. */
export const zReceiptBundle = getReceipt.response
export type ReceiptBundle = z.output<typeof zReceiptBundle>

/**
 * The receipt of a task from the coordinator, or from a file.
 * @throws CUCKOO_CLI_RECEIPT_UNREADABLE when the file holds something else, CUCKOO_CLI_FILE_UNREADABLE, and the coordinator's own errors
 */
export async function loadReceipt(
  context: Context<never>,
  named: string,
  options: { coordinator?: string | undefined; apiKeyFile?: string | undefined },
): Promise<ReceiptBundle> {
  const id = named.toLowerCase()
  if (hashPattern.test(id)) {
    const { client } = await createAppClient(context, options)
    return client.getReceipt({ params: { id: id as `0x${string}` } }, { signal: context.signal })
  }
  if (/^0x[0-9a-f]*$/.test(id)) throw receiptUnreadable({ source: named, problem: `a task id has 64 digits after 0x, not ${id.length - 2}` })
  const text = await readTextFile(named)
  try {
    return zReceiptBundle.parse(JSON.parse(text))
  } catch (cause) {
    const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined
    throw receiptUnreadable({ source: named, problem: issue === undefined ? 'it is not JSON' : `${issue.path.join('.')}: ${issue.message}` }, { cause })
  }
}

import { z } from 'zod'
import type { Output } from './output.ts'
import { zAddress, zHash } from './schemas.ts'
import { viewTransaction, zTxReport } from './transactions.ts'

/** What the reports of two signatures print. */
export const zReportOutput = zTxReport.extend({ accused: zAddress, task: zHash, attempt: z.int() })

/** Shows who was reported, over what, and what was sent. */
export function viewReport(report: z.output<typeof zReportOutput>, screen: Output): void {
  if (!report.dryRun) {
    screen.line(`Reported ${report.accused} over task ${report.task}, attempt ${report.attempt}.`)
    screen.line(`The reporter's part is released one thaw from now: \`${screen.program} jury collect\`.`)
  }
  viewTransaction(report, screen)
}
